/** What JavaScript lets a caller do although the types do not, refused in words that say what is meant. */
import { type About, isObject, OPERATIONS, type OperationName, type Params } from "../../shared/index.ts";
import { HUB_EVENT_KINDS, type HubEvents } from "./events/events.ts";
import { RUNGS, type Rung } from "./sent/rungs.ts";

/** @throws TypeError when they are not an object. */
export function assertParams(operation: OperationName, params: unknown): void {
  if (isObject(params)) return;
  const [first] = Object.keys(OPERATIONS[operation].params.shape);
  const fields = operation === "send" ? "to_claude: …, task: …" : first && `${first}: …`;
  throw new TypeError(`${operation} takes its parameters as an object${fields ? `, as { ${fields} }` : ""}`);
}

/** @throws TypeError when there is no sender. */
export function assertSender(as: string | undefined, params: Params<"send">): void {
  if ((as ?? params.from_claude) !== undefined) return;
  throw new TypeError("send needs a sender: connect({ as: NAME }), or from_claude beside to_claude");
}

/** @throws TypeError when its shape is wrong; the hub checks its content. */
export function assertAbout(about: About = {}): void {
  if (!isObject(about)) throw new TypeError(`about must be an object, as { roles: ["tester"] }`);
  const { roles = [] } = about;
  if (!Array.isArray(roles)) throw new TypeError(`about.roles must be an array of roles, as ["tester"]: ${roles}`);
  const pool = roles.find((role) => `${role}`.startsWith("@"));
  if (pool !== undefined) throw new TypeError(`about.roles takes "${pool}" without the @: "${pool.slice(1)}"`);
}

/** @throws TypeError when there is no such kind. */
export function assertKind(kind: keyof HubEvents): void {
  if (!HUB_EVENT_KINDS.includes(kind)) throw new TypeError(`on() takes ${HUB_EVENT_KINDS.join(", ")}: ${kind}`);
}

/** @throws TypeError when it cannot be called. */
export function assertHandler(method: string, handler: unknown): void {
  if (typeof handler !== "function") throw new TypeError(`${method}() takes a function: ${handler}`);
}

/** @throws TypeError when it is none. */
export function assertRung(rung: Rung): void {
  if (!RUNGS.includes(rung)) throw new TypeError(`reached() takes ${RUNGS.join(", ")}: ${rung}; for the end, result()`);
}
