/** Who is there, for people. */
import { EVERYONE } from "../../../shared/index.ts";
import type { Instance, Recipient } from "../../sdk/index.ts";
import type { Layout } from "./printer.ts";
import { table } from "./table.ts";
import { ago, clock, since } from "./time.ts";

const STATE_PAINT = { online: "green", stale: "yellow", offline: "dim" } as const;
const STATES = Object.keys(STATE_PAINT);

export function presenceTable(instances: readonly Instance[], layout: Layout): string {
  const rows = instances
    .toSorted(byState)
    .map((instance) => [
      instance.claude_id,
      layout.paint[STATE_PAINT[instance.state]](instance.state),
      since(instance.since, layout.now),
      ago(instance.last_seen, layout.now),
      instance.connections.length === 0 ? "-" : counted(instance.connections.map(({ transport }) => transport)),
      hosts(instance).join(", ") || "-",
      instance.roles.join(", ") || "-",
      `${instance.in_progress}`,
      waiting(instance, layout.now),
    ]);
  return table(["NAME", "STATE", "FOR", "SEEN", "CONNECTED", "HOST", "ROLES", "DOING", "WAITING"], rows, layout);
}

const byState = (a: Instance, b: Instance) =>
  STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.claude_id < b.claude_id ? -1 : 1);

const hosts = ({ connections, about }: Instance) => [
  ...new Set([...connections.map(({ host }) => host), about?.host].filter((host) => host !== undefined)),
];

/** @example counted(["websocket", "websocket", "sse"]) === "2 websocket, sse" */
function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => (count === 1 ? word : `${count} ${word}`)).join(", ");
}

function waiting({ waiting: count, oldest_waiting }: Instance, now: number): string {
  return count > 0 && oldest_waiting ? `${count}, oldest ${ago(oldest_waiting, now)}` : `${count}`;
}

/** One instance's state, as a line among events. */
export function presenceLine(instance: Instance, { paint, now }: Layout): string {
  const { claude_id, state, connections } = instance;
  const lines = counted(connections.map(({ transport }) => transport));
  const how = connections.length > 0 ? ` (${[lines, ...hosts(instance)].join(", ")})` : "";
  const at = clock(new Date(now).toISOString());
  return `${paint.dim(at)}  presence   ${claude_id} is ${paint[STATE_PAINT[state]](state)}${how}`;
}

/** What a sender can expect, as a sentence: the truth about a recipient. */
export function expectation(to: string, { state, last_seen, waiting: count, oldest_waiting }: Recipient, now: number) {
  if (to === EVERYONE) return "for everyone, whenever they look";
  const queue = count === 1 ? "this is all that waits for it" : `${count} messages wait for it`;
  const oldest = count > 1 && oldest_waiting ? `, the oldest for ${since(oldest_waiting, now)}` : "";
  return `${STANDING[state](to, last_seen ? ago(last_seen, now) : "never")}; ${queue}${oldest}`;
}

const STANDING: Record<Recipient["state"], (name: string, seen: string) => string> = {
  online: (name) => `${name} is online`,
  stale: (name, seen) => `${name} is silent, last seen ${seen}`,
  offline: (name, seen) => `${name} is offline, last seen ${seen}`,
  unknown: (name) =>
    name.startsWith("@") ? `nobody here has the role ${name.slice(1)}` : `nobody of the name ${name} was ever here`,
};
