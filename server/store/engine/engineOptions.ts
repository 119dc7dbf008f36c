/** What an engine is made with, and what the core decides by: who asks, when, the dice and the rules of leases. */
import type { Bounds } from "../../../shared/limits.ts";
import type { Caller, Circumstances, LeasePolicy } from "../../core/message.ts";
import type { Ledger } from "./ledger.ts";
import type { CheckWhole } from "./templates/whole.ts";

export interface EngineOptions {
  ledger: Ledger;
  lease: LeasePolicy;
  /** Makes the id of a new message: unique and time-ordered. */
  newId: (now: number) => string;
  random: () => number;
  /** What a send said, condensed: equal for equal bodies. */
  fingerprint: (text: string) => string;
  bounds: Bounds;
  checkWhole: CheckWhole;
}

/** The actor when time alone changes something. */
export const HUB: Caller = { claude_id: null, run: null, attached: false };

export const circumstances = ({ random, lease }: EngineOptions, caller: Caller, now: number): Circumstances => ({
  caller,
  now,
  random,
  lease,
});
