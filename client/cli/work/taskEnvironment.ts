/** What a command learns of its task besides the text: by its environment, and a file for the context. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TASK_VARIABLES } from "../../../shared/index.ts";
import type { Message } from "../../sdk/index.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Longer ones are in the file only: an environment is small, and one string of it smaller still. */
const CONTEXT_BYTES = 32 * 1024;

/** A private folder for contexts, a file a task while it is under way. */
export class ContextFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<ContextFolder> {
    return new ContextFolder(await mkdtemp(join(tmpdir(), "coord-work-")));
  }

  /** @returns the file's path. */
  async write(context: string): Promise<string> {
    const file = join(this.path, `${randomUUID()}.txt`);
    await writeFile(file, context, { mode: 0o600 });
    return file;
  }

  async remove(file: string | undefined = this.path): Promise<void> {
    await rm(file, { recursive: true, force: true });
  }
}

/** The environment of a task's command: ours, with what is known of the task. */
export function taskEnvironment(env: Environment, task: Message, contextFile: string | undefined): Environment {
  const said: Record<(typeof TASK_VARIABLES)[number], string | undefined> = {
    COORDINATION_TASK_ID: task.id,
    COORDINATION_TASK_ATTEMPT: `${task.attempt ?? 0}`,
    COORDINATION_TASK_FROM: task.from_claude,
    COORDINATION_TASK_TO: task.to_claude,
    COORDINATION_TASK_PRIORITY: task.priority ?? "normal",
    COORDINATION_TASK_THREAD_ID: task.thread_id,
    COORDINATION_TASK_CONTEXT: short(task.context),
    COORDINATION_TASK_CONTEXT_FILE: contextFile,
  };
  return possible({ ...env, ...said, TRACEPARENT: task.traceparent });
}

const short = (context: string | undefined) =>
  context !== undefined && Buffer.byteLength(context) <= CONTEXT_BYTES ? context : undefined;

/** Without what no environment can hold. */
const possible = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && !value.includes("\0")));
