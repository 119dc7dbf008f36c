import { assertOptions, type Message, type Recipient, type Result } from "../../../shared/index.ts";
import { assertRung } from "../asserts.ts";
import { atCaller } from "../atCaller.ts";
import type { Rung } from "./rungs.ts";
import { WAIT_RULES, type WaitOptions, type Waits } from "./waits.ts";

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
  readonly #waits: Waits;
  readonly #generation: number;

  constructor(sent: Result<"send">, waits: Waits) {
    this.message = sent.message;
    this.recipient = sent.recipient;
    this.deduplicated = sent.deduplicated;
    this.messages = sent.messages;
    this.#waits = waits;
    this.#generation = waits.generation;
  }

  get id(): string {
    return this.message.id;
  }

  /**
   * Waits until it has come so far: the recipient's client has received it, its model has it in context, or somebody has
   * claimed it; of several recipients, the first counts. It does not matter when this is called.
   *
   * @returns the message as it was then.
   * @throws TaskFailed when it ended, or was deleted, without having come so far; CallTimeout when `timeout_ms` were over
   *   first, the signal's reason when that was aborted; HubClosed; TypeError when there is no such rung
   *   or option.
   * @example await task.reached("seen", { timeout_ms: 60_000 });
   */
  async reached(rung: Rung, options?: WaitOptions): Promise<Message> {
    assertRung(rung);
    return await this.#come(rung, options);
  }

  /**
   * Waits until it is complete, over any number of reconnects. It does not matter when this is called.
   *
   * @returns the message with its result, as its end tells it: what became of it in between (`progress`, `claimed_at`,
   *   `delivered_at`) may be missing, and `hub.get({ id })` reads all of it.
   * @throws TaskFailed, with the message, when it failed, was cancelled or was deleted; CallTimeout, the signal's reason,
   *   HubClosed and TypeError as `reached` does.
   * @example const { result } = await (await hub.send({ to_claude: "ada", task: "add 2 and 2" })).result();
   */
  result(options?: WaitOptions): Promise<Message> {
    return this.#come("end", options);
  }

  /** Its failures have the stack of whoever awaits it. */
  async #come(goal: Rung | "end", options: WaitOptions | undefined): Promise<Message> {
    if (options !== undefined) assertOptions(options, WAIT_RULES);
    try {
      return await this.#waits.until(this.message, goal, this.#generation, options);
    } catch (error) {
      throw atCaller(error);
    }
  }
}
