import { HubError } from "../../../shared/index.ts";
import type { Context } from "../context.ts";
import { command } from "../parsing/command.ts";
import type { Input } from "../parsing/inputs.ts";
import { EXIT_CODES } from "../process/exitCodes.ts";

const ids: Input<string[]> = { usage: "<ids...>", help: "The messages' ids." };

export const deleteMessages = command({
  name: "delete",
  summary: "Delete messages and erase what they say.",
  about: "One that cannot be deleted does not keep the others from it; the exit code is 1 then.",
  inputs: { ids },
  examples: [
    ["delete 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e", "one"],
    ["delete $(coord list --status complete --json | jq -r '.messages[].id')", "many"],
  ],
  async run(context, { ids }) {
    let refused = false;
    for (const id of ids) refused = !(await deleteOne(context, id)) || refused;
    return refused ? EXIT_CODES.refused.code : EXIT_CODES.ok.code;
  },
});

async function deleteOne(context: Context, id: string): Promise<boolean> {
  try {
    context.print.confirmation(await context.call("delete", { id }), (deleted) => `${deleted.id} is deleted`);
    return true;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    context.print.error({ error: `${id}: ${error.message}`, code: error.code });
    return false;
  }
}
