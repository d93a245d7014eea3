// Prints what the AsyncAPI parser finds wrong with a document; exits with 1 when that is an error or a warning.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const ADVICE = 2; // severities: 0 error, 1 warning, 2 information, 3 hint
const { diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { severity, path, message } of diagnostics) {
  console.log(`${severity} ${path.join(".")}: ${message}`);
}
process.exit(diagnostics.some(({ severity }) => severity < ADVICE) ? 1 : 0);
