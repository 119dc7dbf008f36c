/** Commands that do several things: the first word says which, and each takes some of the command's inputs. */
import { didYouMean } from "../../../shared/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../process/errors.ts";
import { type Inputs, isOption } from "./inputs.ts";

interface Action<Given> {
  /** The inputs that it needs. */
  readonly needs: readonly (keyof Given & string)[];
  /** Those that may be left out. */
  readonly takes?: readonly string[];
  readonly run: (context: Context, given: Given) => Promise<void>;
}

export type Actions<Given> = Readonly<Record<string, Action<Given>>>;

/** @throws UsageError when there is no such action, or what was given is too much or too little for it. */
export async function runAction<Given>(
  actions: Actions<Given>,
  inputs: Inputs,
  context: Context,
  { action: name = "list", ...given }: { readonly action: string | undefined },
): Promise<undefined> {
  const action = actionOf(actions, name);
  assertTakes(name, [...action.needs, ...(action.takes ?? [])], inputs, given);
  const missing = action.needs.find((input) => !(input in given));
  if (missing !== undefined) throw new UsageError(`missing required argument '${missing}'`);
  await action.run(context, given as Given);
}

function actionOf<Given>(actions: Actions<Given>, name: string): Action<Given> {
  if (Object.hasOwn(actions, name)) return actions[name] as Action<Given>;
  const names = Object.keys(actions);
  throw new UsageError(`${name} is not one of: ${names.join(", ")}${didYouMean(name, names)}`);
}

function assertTakes(action: string, takes: readonly string[], inputs: Inputs, given: object): void {
  const stray = Object.keys(given).find((name) => !takes.includes(name));
  if (stray === undefined) return;
  const input = inputs[stray];
  if (!input || !isOption(input)) throw new UsageError(`too many arguments for '${action}'`);
  throw new UsageError(`${input.usage.split(" ")[0]} does not belong to '${action}'`);
}
