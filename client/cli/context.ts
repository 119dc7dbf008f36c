/** What a command works with: who is calling, the hub, and the ways in and out of the process. */

import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { name } from "../../shared/fields.ts";
import { unknownVariable, validate } from "../../shared/index.ts";
import { LONGEST_TIMER_MS } from "../sdk/clock.ts";
import { HubUnreachable } from "../sdk/errors.ts";
import type { ConnectOptions, Hub, OperationName, Params, Result } from "../sdk/index.ts";
import { hubUrl } from "../sdk/options.ts";
import { reportConnection } from "./connection/reportConnection.ts";
import { Rest } from "./connection/rest.ts";
import type { Printer } from "./output/printer.ts";
import { NothingCame, UsageError } from "./process/errors.ts";
import type { Outside } from "./process/outside.ts";

/** The options that every command takes. */
interface Settings {
  readonly as: string | undefined;
  /** Where that was said. */
  readonly called: string;
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
  constructor(outside: Outside, print: Printer, { as, called, url }: Settings) {
    const unknown = unknownVariable(outside.env);
    if (unknown !== undefined) throw new UsageError(unknown);
    this.outside = outside;
    this.print = print;
    this.interrupted = outside.interrupted;
    this.as = as;
    this.url = baseOf(url);
    if (as !== undefined) assertName(as, called);
    this.#rest = new Rest({ url: this.url, as, interrupted: this.interrupted });
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

  /**
   * Uses a live connection, and says goodbye afterwards.
   *
   * @throws HubUnreachable at once when no hub answers, and in place of NothingCame while the line is down.
   */
  async connected<T>(options: ConnectOptions, use: (hub: Hub) => Promise<T>): Promise<T> {
    const { version } = await this.call("info", {});
    const { connect } = await import("../sdk/connect.ts"); // most commands need no socket, and begin sooner without
    const client = { name: "coord", version };
    const hub = await connect({ url: this.url, client, ...(this.as !== undefined && { as: this.as }), ...options });
    hub.on("error", ({ message }) => {
      if (hub.state !== "closed") this.print.notice(message); // else the command ends with it, and tells
    });
    const isUp = reportConnection(hub, this.print);
    try {
      return await use(hub);
    } catch (error) {
      throw error instanceof NothingCame && !isUp() ? new HubUnreachable(this.url, error) : error;
    } finally {
      await hub.close();
    }
  }

  /** A text from the command line, or all of stdin where it is `-`. @throws UsageError when that is no text. */
  async text<T extends string | undefined>(given: T): Promise<T | string> {
    if (given !== "-") return given;
    const stdin = this.outside.stdin();
    const bytes = await this.interruptible(buffer(stdin)).finally(() => stdin.destroy());
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new UsageError("stdin is not text in UTF-8");
    }
  }

  /** @throws Interrupted */
  async pause(ms: number): Promise<void> {
    await sleep(Math.min(ms, LONGEST_TIMER_MS), undefined, { signal: this.interrupted }).catch(() => {});
    this.interrupted.throwIfAborted();
  }

  /**
   * Waits, but no longer than until the command is interrupted or its time is over.
   *
   * @throws Interrupted, or what `late` gives.
   */
  async interruptible<T>(promise: Promise<T>, { ms, late }: Partial<Timeout> = {}): Promise<T> {
    let cancel = () => {};
    const over = new Promise<never>((_, reject) => {
      const interrupt = () => reject(this.interrupted.reason);
      const timer =
        ms === undefined ? undefined : setTimeout(async () => reject(await late?.()), Math.min(ms, LONGEST_TIMER_MS));
      cancel = () => {
        clearTimeout(timer);
        this.interrupted.removeEventListener("abort", interrupt);
      };
      if (this.interrupted.aborted) interrupt();
      else this.interrupted.addEventListener("abort", interrupt);
    });
    return await Promise.race([promise, over]).finally(cancel);
  }
}

interface Timeout {
  /** Undefined: none. */
  readonly ms: number | undefined;
  /** What to throw when it is over. */
  readonly late: () => Error | Promise<Error>;
}

/** @throws UsageError */
function assertName(as: string, called: string): void {
  try {
    validate(z.object({ [called]: name }), { [called]: as });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError when it is not the URL of a hub. */
function baseOf(url: string | undefined): string {
  try {
    return hubUrl(url);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
