/** The command that does tasks, a process group a task. */
import type { Message, TaskContext } from "../../sdk/index.ts";
import { CannotStart } from "../process/errors.ts";
import type { OrphanGuard } from "./orphanGuard.ts";
import { type Ended, ProcessGroup } from "./processGroup.ts";
import { type ContextFolder, type Environment, taskEnvironment } from "./taskEnvironment.ts";
import { Transcript } from "./transcript.ts";

/** sysexits.h, EX_TEMPFAIL: how a command says that another try may succeed. */
export const EX_TEMPFAIL = 75;

/** The command has ended, and not well. Its last lines are the message. */
export class CommandFailed extends Error {
  readonly code = "command_failed";
  readonly exit: Ended;
  readonly retryable: boolean;

  constructor(exit: Ended, lines: string) {
    super([lines, `(${endOf(exit)})`].filter(Boolean).join("\n"));
    this.exit = exit;
    this.retryable = exit.code === EX_TEMPFAIL || exit.signal !== null;
  }
}

const endOf = ({ code, signal }: Ended) => (signal === null ? `exit code ${code}` : `killed by ${signal}`);

interface CommandSettings {
  /** The command and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Environment;
  readonly killAfterMs: number;
  readonly guard: OrphanGuard;
  readonly contexts: ContextFolder;
  /** Is given each line that the command writes, as soon as it is written. */
  readonly onLine: ((task: Message, line: string) => void) | undefined;
}

type Context = Pick<TaskContext<unknown>, "signal" | "progress">;

export class TaskCommand {
  readonly #settings: CommandSettings;

  constructor(settings: CommandSettings) {
    this.#settings = settings;
  }

  /**
   * Does a task: its text is what the command reads, what the command writes is the result.
   *
   * @returns the result; undefined when there is none.
   * @throws CommandFailed, CannotStart, or the signal's reason.
   */
  async do(task: Message, { signal, progress }: Context): Promise<string | undefined> {
    const { contexts, onLine } = this.#settings;
    const transcript = new Transcript({
      onProgress: ({ percent, note }) => progress(percent, note),
      onLine: onLine && ((line) => onLine(task, line)),
    });
    const contextFile = task.context === undefined ? undefined : await this.#write(task.context);
    try {
      const ended = await this.#run(task, signal, contextFile, transcript);
      if (ended.stopped) signal.throwIfAborted();
      if (ended.code !== 0) throw new CommandFailed(ended, transcript.lastLines);
      return transcript.result || undefined;
    } finally {
      if (contextFile !== undefined) await contexts.remove(contextFile);
    }
  }

  async #run(
    task: Message,
    signal: AbortSignal,
    contextFile: string | undefined,
    transcript: Transcript,
  ): Promise<Ended> {
    const { argv, env, killAfterMs, guard } = this.#settings;
    signal.throwIfAborted();
    const [command, ...args] = argv;
    const group = await ProcessGroup.start(command, args, {
      env: taskEnvironment(env, task, contextFile),
      input: task.task,
      killAfterMs,
      onStdout: transcript.stdout,
      onStderr: transcript.stderr,
    });
    guard.add(group.id);
    const stop = () => group.stop();
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    try {
      return await group.ended;
    } finally {
      signal.removeEventListener("abort", stop);
      guard.remove(group.id);
      transcript.end();
    }
  }

  async #write(context: string): Promise<string> {
    try {
      return await this.#settings.contexts.write(context);
    } catch (error) {
      throw new CannotStart(`the task's context cannot be written: ${(error as Error).message}`, { cause: error });
    }
  }
}
