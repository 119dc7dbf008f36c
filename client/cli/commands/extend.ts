import { attempt, callAsHolder } from "../claims/holder.ts";
import { leaseLine } from "../output/message.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const extend = command({
  name: "extend",
  summary: "Ask for more time for a task you hold.",
  about:
    "Prints until when the claim is safe, whatever becomes of its holder. What was promised before is never shortened.",
  inputs: { id: field("extend", "id", "<id>"), ...fields("extend", "lease_ms"), attempt: attempt("extend") },
  examples: [["extend 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --lease 1h --as server_backend", "safe for an hour from now"]],
  async run(context, params) {
    context.print.confirmation(await callAsHolder(context, "extend", params), leaseLine);
  },
});
