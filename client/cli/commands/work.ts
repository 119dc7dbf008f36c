import { newRun } from "../../sdk/calls/ids.ts";
import { GiveBack, type Hub, type Loss, type Message, type TaskHandler, type Worker } from "../../sdk/index.ts";
import { check } from "../connection/rest.ts";
import type { Context } from "../context.ts";
import { command } from "../parsing/command.ts";
import { duration, field, flag, type Input, integer } from "../parsing/inputs.ts";
import { CannotStart, UsageError } from "../process/errors.ts";
import { endingLine, endingOf } from "../work/ending.ts";
import { assertStartable } from "../work/findCommand.ts";
import { EX_TEMPFAIL, type TaskCommand } from "../work/taskCommand.ts";
import { withCommand } from "../work/workPlace.ts";

const KILL_AFTER_MS = 5_000;
/** How long after the killing a task is given back although its command has not ended. */
const RELUCTANCE_MS = 5_000;

const ABOUT = `
Each task runs the command once, in a process group of its own.
  stdin        the task's text
  environment  COORDINATION_TASK_ID, COORDINATION_TASK_ATTEMPT,
               COORDINATION_TASK_FROM, COORDINATION_TASK_TO,
               COORDINATION_TASK_PRIORITY, COORDINATION_TASK_THREAD_ID,
               COORDINATION_TASK_CONTEXT_FILE (a file with the context),
               COORDINATION_TASK_CONTEXT (the context itself when it is short);
               TRACEPARENT; CLAUDE_ID, COORDINATION_API_URL and COORDINATION_RUN,
               so that coord just works, and what it confirms goes to stderr:
               \`coord extend $COORDINATION_TASK_ID --lease 1h\`
  stdout       the result; of more than a result can be, the end
  stderr       its last lines are the error, and a line such as
               \`::progress 40 compiling\` tells the sender how far it is
  exit code    0 completes the task; ${EX_TEMPFAIL}, or death by a signal, fails it to be
               tried again; every other one fails it

A task that is cancelled, deleted, timed out or lost ends its whole group:
SIGTERM, later SIGKILL. What a command leaves behind in it ends, too. The first
Ctrl-C or SIGTERM, or an output that cannot be written, takes no more tasks and
finishes those under way; the second signal ends them and gives them back.
Killed itself, coord leaves no group running, and its tasks go to others when
their leases have run out.`;

/** Whoever does the tasks of a pool is a member of it. */
const roleOf = (queue: string | undefined) => (queue?.startsWith("@") ? { about: { roles: [queue.slice(1)] } } : {});

export const work = command({
  name: "work",
  summary: "Do tasks by running a command, until Ctrl-C.",
  about: ABOUT,
  inputs: {
    argv: { usage: "<command...>", help: "What does a task, with its arguments; put -- before it." } as Input<
      [string, ...string[]]
    >,
    concurrency: integer("--concurrency <n>", "How many tasks at once (1)."),
    for_claude: field("claim_next", "for_claude"),
    kill_after: duration("--kill-after <duration>", "How long after SIGTERM comes SIGKILL (5 s)."),
    drain: duration("--drain <duration>", "How long to finish at the end; left out, as long as it takes."),
    verbose: flag("--verbose", "Show what the command writes."),
  },
  examples: [
    ["work --as server_backend -- claude -p", "an agent for each task"],
    ["work --as builder --concurrency 4 --verbose -- ./build.sh --release", "four at once, and see what they write"],
    ["work --as shell --json -- sh -c 'sh 2>&1'", "tasks are shell scripts: only for senders that you trust"],
  ],
  async run(context, { argv, concurrency = 1, for_claude, kill_after = KILL_AFTER_MS, drain, verbose = false }) {
    const { me } = context;
    if (concurrency < 1) throw new UsageError("--concurrency must be at least 1");
    check("claim_next", { for_claude });
    await assertStartable(argv[0], context.outside.env.PATH);
    const run = newRun();
    await withCommand(context, { argv, run, killAfterMs: kill_after, verbose }, (taskCommand) =>
      context.connected({ run, receives: true, ...roleOf(for_claude) }, async (hub) => {
        context.print.aside(
          `${me} does tasks${for_claude ? ` of ${for_claude}` : ""} with ${argv.join(" ")}; Ctrl-C ends`,
        );
        const session = new WorkSession(context, taskCommand);
        await session.work(hub, {
          concurrency,
          abort_ms: kill_after + RELUCTANCE_MS,
          ...(for_claude !== undefined && { for: for_claude }),
          ...(drain !== undefined && { drain_ms: drain }),
        });
      }),
    );
  },
});

/** From the first task to the last one. */
class WorkSession {
  readonly #context: Context;
  readonly #command: TaskCommand;
  #cannotStart: CannotStart | undefined;

  constructor(context: Context, taskCommand: TaskCommand) {
    this.#context = context;
    this.#command = taskCommand;
  }

  /** @throws CannotStart, Interrupted, or what the hub refuses. */
  async work(hub: Hub, options: Parameters<Hub["work"]>[1]): Promise<void> {
    const { interrupted } = this.#context;
    const worker: Worker<Hub> = hub.work((task, taskContext) => this.#do(worker, task, taskContext), options);
    const drain = () => this.#drain(hub, worker);
    if (interrupted.aborted) drain();
    interrupted.addEventListener("abort", drain);
    try {
      await worker.done;
    } finally {
      interrupted.removeEventListener("abort", drain);
    }
    if (this.#cannotStart) throw this.#cannotStart;
    interrupted.throwIfAborted();
  }

  /** Whoever cannot start one task cannot start the next either, and leaves them to others. */
  async #do(worker: Worker<Hub>, ...[task, taskContext]: Parameters<TaskHandler<Hub>>): Promise<string | undefined> {
    const begin = performance.now();
    const print = (error?: unknown) => this.#print(task, performance.now() - begin, error, taskContext.told);
    try {
      const result = await this.#command.do(task, taskContext);
      void print();
      return result;
    } catch (error) {
      void print(error);
      if (!(error instanceof CannotStart)) throw error;
      this.#cannotStart ??= error;
      void worker.close();
      throw new GiveBack(error.message, { rest_ms: 0, cause: error });
    }
  }

  /** Prints how it ended once the hub has answered. */
  async #print(task: Message, tookMs: number, error: unknown, told: Promise<Loss | undefined>): Promise<void> {
    this.#context.print.result(endingOf(task, tookMs, { error, loss: await told }), endingLine);
  }

  #drain(hub: Hub, worker: Worker<Hub>): void {
    const { print, outside } = this.#context;
    outside.onInsisted(() => {
      if (worker.busy > 0) print.notice(`ending ${worker.busy} under way, and giving back`);
      void worker.close({ force: true });
      void hub.close(); // without waiting for a hub that is not there
    });
    if (worker.busy > 0) print.notice(`finishing ${worker.busy} under way; once more, and they end at once`);
    void worker.close();
  }
}
