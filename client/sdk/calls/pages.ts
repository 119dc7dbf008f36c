import type { Params, Result } from "../../../shared/index.ts";

/** Operations that answer in pages, each of which takes the same parameters. */
type Paged = "list" | "schedule_list";

/** Every page of an answer: the `next` of each leads to the one after it. @throws as the call does. */
export async function* pages<N extends Paged>(
  caller: { call: (operation: N, params: Params<N>) => Promise<Result<N>> },
  operation: N,
  params: Params<N>,
): AsyncGenerator<Result<N>, void> {
  let { next } = params;
  do {
    const page = await caller.call(operation, { ...params, next });
    yield page;
    next = page.next;
  } while (next !== undefined);
}
