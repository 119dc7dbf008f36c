import { isRetryable } from "../../sdk/errors.ts";
import type { Params } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { clock } from "../output/time.ts";
import { command } from "../parsing/command.ts";
import { duration } from "../parsing/inputs.ts";

export const heartbeat = command({
  name: "heartbeat",
  summary: "Say that I am alive; lengthens the claims that my name holds.",
  inputs: { interval_ms: duration("--interval <duration>", "Say it again and again, this often.") },
  examples: [
    ["heartbeat --as server_backend", "once"],
    ["heartbeat --as server_backend --interval 30", "until Ctrl-C"],
  ],
  async run(context, params) {
    const said = { claude_id: context.me, ...params };
    await beat(context, said);
    while (params.interval_ms !== undefined) {
      await context.pause(params.interval_ms);
      await beat(context, said).catch((error) => {
        if (!isRetryable(error)) throw error;
        context.print.notice(`${(error as Error).message}; trying again`);
      });
    }
  },
});

async function beat(context: Context, params: Params<"heartbeat">): Promise<void> {
  context.print.confirmation(
    await context.call("heartbeat", params),
    ({ timestamp, claude_id }) => `${clock(timestamp)}  ${claude_id} is alive`,
  );
}
