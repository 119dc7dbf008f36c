/** Commands that do several things: the first word says which, and each takes some of the command's inputs. */
import { didYouMean } from "../../../shared/index.ts";
import { UsageError } from "../process/errors.ts";
import { type Inputs, isOption } from "./inputs.ts";

/** @throws UsageError when there is no such action. */
export function actionOf<A extends object>(actions: A, name: string): keyof A & string {
  if (Object.hasOwn(actions, name)) return name as keyof A & string;
  const names = Object.keys(actions);
  throw new UsageError(`${name} is not one of: ${names.join(", ")}${didYouMean(name, names)}`);
}

/** @throws UsageError when something was given that the action has no use for. */
export function assertTakes(action: string, takes: readonly string[], inputs: Inputs, given: object): void {
  const stray = Object.keys(given).find((name) => !takes.includes(name));
  if (stray === undefined) return;
  const input = inputs[stray];
  if (!input || !isOption(input)) throw new UsageError(`too many arguments for '${action}'`);
  throw new UsageError(`${input.usage.split(" ")[0]} does not belong to '${action}'`);
}
