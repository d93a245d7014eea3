"""How the learned reader is made: data, network, training, export, calibration. Only this needs PyTorch."""
