import type { Message } from "../../sdk/index.ts";
import type { Context } from "../context.ts";
import { OrphanGuard } from "./orphanGuard.ts";
import { TaskCommand } from "./taskCommand.ts";
import { ContextFolder } from "./taskEnvironment.ts";

interface PlaceOptions {
  /** The command and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Whose the tasks are. */
  readonly run: string;
  readonly killAfterMs: number;
  /** Show what the command writes. */
  readonly verbose: boolean;
}

/** How much of an id is enough to tell tasks apart: its end is random. */
const SHORT_ID_CHARS = 6;

/** Makes the command ready for tasks, and cleans up after it. */
export async function withCommand<T>(
  context: Context,
  { argv, run, killAfterMs, verbose }: PlaceOptions,
  use: (command: TaskCommand) => Promise<T>,
): Promise<T> {
  const { outside, print, url, me } = context;
  const contexts = await ContextFolder.create();
  const guard = new OrphanGuard(killAfterMs, contexts.path);
  const show = ({ id }: Message, text: string) => print.aside(`${id.slice(-SHORT_ID_CHARS)} | ${text}`);
  const env = { ...outside.env, CLAUDE_ID: me, COORDINATION_API_URL: url, COORDINATION_RUN: run };
  try {
    return await use(new TaskCommand({ argv, env, killAfterMs, guard, contexts, onLine: verbose ? show : undefined }));
  } finally {
    await guard.close();
    await contexts.remove();
  }
}
