/** What a command works with: who is calling, the hub, and the ways in and out of the process. */
import { text } from "node:stream/consumers";
import { type ConnectOptions, connect, type Hub, type OperationName, type Params, type Result } from "../sdk/index.ts";
import { settle } from "../sdk/options.ts";
import { Failed, UsageError } from "./errors.ts";
import type { Outside } from "./outside.ts";
import type { Printer } from "./output/printer.ts";
import { check, Rest } from "./rest.ts";

/** The options that every command takes. */
export interface Settings {
  readonly as: string | undefined;
  readonly url: string | undefined;
}

export class Context {
  readonly outside: Outside;
  readonly print: Printer;
  /** Aborted, with an Interrupted, when the person or the system wants this to end. */
  readonly interrupted: AbortSignal;
  readonly as: string | undefined;
  readonly url: string;
  readonly #rest: Rest;

  /** @throws UsageError when the name or the URL cannot be one. */
  constructor(outside: Outside, print: Printer, { as, url }: Settings) {
    this.outside = outside;
    this.print = print;
    this.interrupted = outside.interrupted;
    this.as = as;
    this.url = checkedUrl(url);
    if (as !== undefined) checkName(as);
    this.#rest = new Rest(this.url, as, outside.interrupted);
  }

  /** The caller's name. @throws UsageError when there is none. */
  get me(): string {
    if (this.as !== undefined) return this.as;
    throw new UsageError("who is calling? say --as NAME, or set CLAUDE_ID");
  }

  /** Carries an operation out over REST. @see Rest.call */
  call<N extends OperationName>(operation: N, params: Params<N>): Promise<Result<N>> {
    return this.#rest.call(operation, params);
  }

  /** Uses a live connection, and says goodbye afterwards. @throws HubUnreachable at once when no hub answers. */
  async connected<T>(options: ConnectOptions, use: (hub: Hub) => Promise<T>): Promise<T> {
    const { version } = await this.call("info", {});
    const client = { name: "coord", version };
    const hub = await connect({ url: this.url, client, ...(this.as !== undefined && { as: this.as }), ...options });
    try {
      return await use(hub);
    } finally {
      await hub.close();
    }
  }

  /** A text from the command line, or all of stdin where it is `-`. */
  async text(given: string): Promise<string>;
  async text(given: string | undefined): Promise<string | undefined>;
  async text(given: string | undefined): Promise<string | undefined> {
    return given === "-" ? await text(this.outside.stdin()) : given;
  }

  /**
   * Waits, but no longer than until the command is interrupted or `withinMs` are over.
   *
   * @throws Interrupted, or what `late` gives.
   */
  async within<T>(withinMs: number | undefined, promise: Promise<T>, late: () => Error): Promise<T> {
    let cancel = () => {};
    const over = new Promise<never>((_, reject) => {
      const interrupt = () => reject(this.interrupted.reason);
      const timer = withinMs === undefined ? undefined : setTimeout(() => reject(late()), withinMs);
      this.interrupted.addEventListener("abort", interrupt);
      if (this.interrupted.aborted) interrupt();
      cancel = () => {
        clearTimeout(timer);
        this.interrupted.removeEventListener("abort", interrupt);
      };
    });
    return Promise.race([promise, over]).finally(cancel);
  }
}
