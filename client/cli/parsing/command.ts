import type { Context } from "../context.ts";
import type { Inputs, Values } from "./inputs.ts";

/** One command of `coord`: a row of the table from which parsing, help and dispatch are made. */
export interface Command<I extends Inputs = Inputs> {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What else there is to know, in the command's own help. */
  readonly about?: string;
  readonly inputs: I;
  /** Command lines without `coord`, with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Everything on the line belongs to another program, whose help and errors count. */
  readonly passesThrough?: boolean;
  /** It asks no hub that is there: `--url` would mean nothing. */
  readonly isLocal?: boolean;
  /** @returns the exit code; nothing for 0. */
  run(context: Context, values: Values<I>): Promise<number | undefined>;
}

/** Checks a row while it keeps the types of its own inputs. */
export const command = <I extends Inputs>(row: Command<I>): Command => row as unknown as Command;
