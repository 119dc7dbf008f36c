/** A message that somebody wants to send, judged in full before anything is written. */
import { HubError } from "../../../shared/errors.ts";
import type { Bounds } from "../../../shared/limits.ts";
import { create, type NewMessage } from "../../core/create.ts";
import type { Decision } from "../../core/decision.ts";
import type { LeasePolicy } from "../../core/message.ts";
import { childTrace } from "../../core/trace.ts";
import { loopRefusal, positionOf } from "./chains.ts";
import { type Dependencies, NO_OBSTACLES, type Obstacles } from "./dependencies.ts";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

export interface Draft {
  readonly id: string;
  readonly decision: Decision;
  readonly obstacles: Obstacles;
  /** Why a new message is not taken now; somebody who repeats an earlier send gets that one all the same. */
  readonly refusal: HubError | undefined;
}

/** What a draft is judged by. */
interface DraftContext {
  readonly ledger: Ledger;
  readonly dependencies: Dependencies;
  readonly journal: Pick<Journal, "refusal">;
  readonly bounds: Bounds;
  readonly lease: LeasePolicy;
  readonly now: number;
}

/** @throws HubError when nobody could send such a message. */
export function draft(said: NewMessage, id: string, { ledger, dependencies, ...context }: DraftContext): Draft {
  const { now, lease: defaults } = context;
  const awaited = said.after ? orRefusal(() => dependencies.obstacles(said.after)) : NO_OBSTACLES;
  const obstacles = awaited instanceof HubError ? NO_OBSTACLES : awaited;
  const position = positionOf(ledger, said);
  const decision = create(traced(said, id, ledger), { id, now, defaults, position, blocked: obstacles.open.length });
  const refusal =
    (awaited instanceof HubError ? awaited : dependencies.refusal(said.after)) ??
    loopRefusal(ledger, position, context.bounds) ??
    context.journal.refusal(said, context.bounds);
  return { id, decision, obstacles, refusal };
}

function orRefusal<T>(judge: () => T): T | HubError {
  try {
    return judge();
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

/** In the trace of the message it answers or is part of. */
function traced(said: NewMessage, id: string, ledger: Ledger): NewMessage {
  const origin = said.parent_id ?? said.reply_to;
  const known = said.traceparent === undefined && origin !== undefined ? ledger.message(origin) : undefined;
  const traceparent = known && childTrace(known, id);
  return traceparent ? { ...said, traceparent } : said;
}
