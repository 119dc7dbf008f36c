import type { Message, Recipient, Result } from "../../shared/index.ts";
import type { Rung, Rungs } from "./rungs.ts";
import type { Tasks } from "./tasks.ts";

/** A message that was sent, and what becomes of it. */
export class Task {
  /** As the hub stored it. */
  readonly message: Message;
  /** What to expect of the recipient. */
  readonly recipient: Recipient;
  /** Whether an earlier send with the same key made it. */
  readonly deduplicated: boolean;
  /** Of a macro: the messages of all its steps, of which `message` is the last. */
  readonly messages: readonly Message[] | undefined;
  readonly #tasks: Tasks;
  readonly #rungs: Rungs;
  readonly #era: number;

  constructor(sent: Result<"send">, { tasks, rungs }: { tasks: Tasks; rungs: Rungs }) {
    this.message = sent.message;
    this.recipient = sent.recipient;
    this.deduplicated = sent.deduplicated;
    this.messages = sent.messages;
    this.#tasks = tasks;
    this.#rungs = rungs;
    this.#era = tasks.era;
  }

  get id(): string {
    return this.message.id;
  }

  /**
   * Waits until it has come so far: the recipient's client has received it, its model has it in context, or somebody has
   * claimed it. It does not matter when this is called.
   *
   * @returns the message as it was then.
   * @throws TaskFailed when it ended, or was deleted, without having come so far; HubClosed.
   * @example await task.reached("seen");
   */
  reached(rung: Rung): Promise<Message> {
    return this.#rungs.reach(this.message, rung);
  }

  /**
   * Waits until it is complete, over any number of reconnects. It does not matter when this is called.
   *
   * @returns the message with its result.
   * @throws TaskFailed, with the message, when it failed, was cancelled or was deleted; HubClosed.
   * @example const { result } = await (await hub.send({ to_claude: "ada", task: "add 2 and 2" })).result();
   */
  result(): Promise<Message> {
    return this.#tasks.result(this.message, this.#era);
  }
}
