import type { Hub, Instance } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { eventLine } from "../output/event.ts";
import { presenceLine } from "../output/presence.ts";
import { command } from "../parsing/command.ts";
import { flag } from "../parsing/inputs.ts";

export const watch = command({
  name: "watch",
  summary: "See live what happens, until Ctrl-C.",
  about:
    "With a name: what waits for it, then what happens to its messages. Without one: everything. Goes on when the hub restarts.",
  inputs: {
    all: flag("--all", "Everything, although there is a name."),
    presence: flag("--presence", "Also who comes and goes."),
  },
  examples: [
    ["watch --as server_backend", "what concerns me"],
    ["watch --presence", "everything, and who is there"],
    ["watch --json | jq -c 'select(.kind == \"failed\")'", "an event a line, for a program"],
  ],
  async run(context, { all = false, presence = false }) {
    const scope = all || context.as === undefined ? "all" : "mine";
    await context.connected({ scope, presence, receives: true }, async (hub) => {
      hub.on("resync", ({ reason }) =>
        context.print.notice(`the hub's log begins anew (${reason}): what waits follows`),
      );
      if (presence) followPresence(hub, context);
      for await (const event of hub.events({ signal: context.interrupted })) context.print.result(event, eventLine);
      context.interrupted.throwIfAborted();
    });
  },
});

/** Prints everybody who is there, then those who come, go or fall silent; for a program, every change. */
function followPresence(hub: Hub, { print }: Context): void {
  const known = new Map<string, string>();
  const isNews = ({ claude_id, state, connections }: Instance) => {
    const standing = `${state} ${connections.length}`;
    const before = known.get(claude_id) ?? "offline 0";
    known.set(claude_id, standing);
    return print.json || standing !== before;
  };
  hub.on("presence", ({ version, instances }) => {
    for (const instance of instances.filter(isNews)) {
      print.result({ kind: "presence", version, ...instance }, presenceLine);
    }
  });
}
