"""The stream service: raw articles in, events out, nothing lost. The only package that imports Faust."""
