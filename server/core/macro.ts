/** The steps of a macro: who waits for whom. */
import { HubError } from "../../shared/errors.ts";
import { didYouMean } from "../../shared/suggest.ts";

interface Step {
  readonly key: string;
  readonly after?: readonly string[] | undefined;
}

/**
 * The steps in an order in which each comes after those it waits for.
 *
 * @throws HubError that names a duplicate or unknown key, or steps that wait for each other.
 */
export function inOrder<S extends Step>(steps: readonly S[]): S[] {
  const byKey = new Map(steps.map((step) => [step.key, step]));
  assertKeys(steps, byKey);
  const ordered: S[] = [];
  const path: string[] = [];
  const done = new Set<string>();
  const visit = (step: S): void => {
    if (done.has(step.key)) return;
    const seen = path.indexOf(step.key);
    if (seen >= 0) throw cycle([...path.slice(seen), step.key]);
    path.push(step.key);
    for (const key of step.after ?? []) visit(byKey.get(key) as S);
    path.pop();
    done.add(step.key);
    ordered.push(step);
  };
  for (const step of steps) visit(step);
  return ordered;
}

function assertKeys(steps: readonly Step[], byKey: ReadonlyMap<string, Step>): void {
  const seen = new Set<string>();
  for (const { key, after = [] } of steps) {
    if (seen.has(key)) throw wrong(`Two steps have the key ${key}`, { key });
    seen.add(key);
    const stranger = after.find((other) => !byKey.has(other));
    if (stranger === undefined) continue;
    const known = [...byKey.keys()];
    throw wrong(`Step ${key} comes after ${stranger}, which is no step${didYouMean(stranger, known)}`, { key, known });
  }
}

const cycle = (keys: readonly string[]) => wrong(`Steps wait for each other: ${keys.join(" after ")}`, { cycle: keys });

const wrong = (sentence: string, details: object) =>
  new HubError("invalid_params", sentence, { field: "steps", ...details });

/** Adds the name of the step to what goes wrong in it. */
export function inStep<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new HubError(error.code, `Step ${key}: ${error.message}`, { ...error.details, step: key });
  }
}
