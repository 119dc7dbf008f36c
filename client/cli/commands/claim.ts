import { showClaim } from "../claims/showClaim.ts";
import { command } from "../parsing/command.ts";
import { field } from "../parsing/inputs.ts";

export const claim = command({
  name: "claim",
  summary: "Take a task.",
  about: "The claim is held by the name, not by this process: complete it later, from anywhere, under the same name.",
  inputs: { id: field("claim", "id", "<id>") },
  examples: [["claim 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --as server_backend", "then do it, then `coord complete`"]],
  async run(context, { id }) {
    showClaim(context, await context.call("claim", { id }));
  },
});
