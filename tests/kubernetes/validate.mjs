// Reads custom resources as a JSON list on standard input, prints what their models find wrong, and then exits with 1.
import { readFileSync } from "node:fs";
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const models = { ScaledObject, TriggerAuthentication, ServiceMonitor };
for (const resource of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const model = models[resource.kind];
    if (model.apiVersion !== resource.apiVersion) throw new Error(`no such version: ${resource.apiVersion}`);
    new model(resource).validate();
  } catch (error) {
    console.log(`${resource.kind}: ${error.message}`);
    process.exitCode = 1;
  }
}
