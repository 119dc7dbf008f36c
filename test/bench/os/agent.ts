/** Asking a program in another process: one question at a time over the channel of `fork`. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Missing } from "./missing.ts";

type Handler = (params: never) => unknown;
export type Handlers = Record<string, Handler>;

interface Question {
  method: string;
  params: never;
}

interface Answer {
  result?: unknown;
  error?: { name: string; message: string };
}

/** In the child: answers what the parent asks, and ends when the parent does. */
export function serve(handlers: Handlers): void {
  process.on("message", ({ method, params }: Question) => {
    void answer(handlers, method, params).then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => process.exit(0));
}

async function answer(handlers: Handlers, method: string, params: never): Promise<Answer> {
  try {
    return { result: await handlers[method]?.(params) };
  } catch (thrown) {
    const { name, message, stack } = thrown as Error;
    return { error: { name, message: thrown instanceof Missing ? message : (stack ?? message) } };
  }
}

/** In the parent: the child, as its handlers. */
export class Agent<H extends Handlers> {
  readonly child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = once(child, "exit").then(([code, signal]) => {
      throw new Error(`a client process of the benchmark ended (${signal ?? code})`);
    });
    this.#ended.catch(() => {}); // matters only while a question is open
  }

  async ask<M extends keyof H & string>(method: M, ...params: Parameters<H[M]>): Promise<Awaited<ReturnType<H[M]>>> {
    const answered = once(this.child, "message");
    this.child.send({ method, params: params[0] });
    const [answer] = (await Promise.race([answered, this.#ended])) as [Answer];
    if (answer.error === undefined) return answer.result as Awaited<ReturnType<H[M]>>;
    throw answer.error.name === "Missing" ? new Missing(answer.error.message) : new Error(answer.error.message);
  }
}
