import type { Params, Result } from "../../../shared/index.ts";
import { command } from "../parsing/command.ts";
import { field, fields } from "../parsing/inputs.ts";

export const lift = command({
  name: "lift",
  summary: "Let an exchange go on that the hub has stopped as a loop.",
  about: "Agents that answer each other for ever are stopped. Look first at what they say: coord list --chain CHAIN",
  inputs: { chain_id: field("chain_lift", "chain_id", "<chain>"), ...fields("chain_lift", "hops") },
  examples: [["lift 0193f2c61c7e7d0a9b1f4e5a6b7c8d9e --hops 20", "twenty answers more"]],
  async run(context, params) {
    const chain = await context.call("chain_lift", params);
    context.print.confirmation(chain, (lifted) => liftLine(lifted, params));
  },
});

/** An exchange that was not stopped may go on further than asked for: a lift takes nothing away. */
function liftLine({ chain_id, hops, limit }: Result<"chain_lift">, { hops: asked }: Params<"chain_lift">): string {
  const more = limit - hops;
  const unchanged = asked !== undefined && more > asked ? ", as before: it was not stopped" : "";
  return `${chain_id} has come ${hops} of ${limit} hops (answers to answers): ${more} more may follow${unchanged}`;
}
