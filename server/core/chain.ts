/**
 * Chains: a message that answers another one, or is a part of it, continues that one's exchange. Agents that answer
 * each other forever are stopped after a number of hops, which a person can raise for one chain.
 */
import { HubError } from "../../shared/errors.ts";
import type { MessageState } from "./message.ts";

/** A message's position in an exchange. */
export type ChainPosition = Pick<MessageState, "chain_id" | "hops">;

/** A position in a chain that another message began. */
interface ChainLink {
  readonly chain_id: string;
  readonly hops: number;
}

/** The position of a message that begins a chain. */
export const BEGINS: ChainPosition = { chain_id: null, hops: null };

/** The position of a message that follows others: it continues the longest of their chains. */
export function positionAfter(parents: readonly MessageState[]): ChainPosition {
  let position = BEGINS;
  for (const { id, chain_id, hops } of parents) {
    const next = { chain_id: chain_id ?? id, hops: (hops ?? 0) + 1 };
    if (next.hops > (position.hops ?? 0)) position = next;
  }
  return position;
}

export const isLink = (position: ChainPosition): position is ChainLink => position.chain_id !== null;

/** The refusal for an agent whose exchange has come as far as it may. */
export const loopStopped = ({ chain_id, hops }: ChainLink, limit: number) =>
  new HubError(
    "loop_stopped",
    `This exchange has come ${limit} hops and is stopped as a loop: a person can let it go on with ` +
      `\`coord lift ${chain_id}\``,
    { chain_id, hops, limit },
  );
