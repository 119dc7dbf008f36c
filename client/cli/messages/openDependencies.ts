/** What pending tasks wait for: the messages of their `after` that are not complete. */
import type { Message } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { ifGone } from "./ifGone.ts";

/** By the waiting task's id. */
export type OpenDependencies = ReadonlyMap<string, readonly string[]>;

/** @returns nothing for programs: they read `after`. */
export async function openDependencies(context: Context, messages: readonly Message[]): Promise<OpenDependencies> {
  const waiting = context.print.json ? [] : messages.filter(({ status, after }) => status === "pending" && after);
  const open = new Set<string>();
  for (const id of new Set(waiting.flatMap(({ after = [] }) => after))) {
    if (!(await isOver(context, id))) open.add(id);
  }
  return new Map(waiting.map(({ id, after = [] }) => [id, after.filter((one) => open.has(one))]));
}

/** One that is gone is no longer waited for. */
async function isOver(context: Context, id: string): Promise<boolean> {
  const message = await context.call("get", { id }).catch(ifGone);
  return message === undefined || message.status === "complete";
}
