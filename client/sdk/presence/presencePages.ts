import type { Params, Presence } from "../../../shared/index.ts";

/**
 * Who is there, over all pages.
 *
 * @param read asks for one page.
 * @param params of the first; the others are asked for without waiting.
 * @returns everybody, as of the first page's version: whatever changes while the others are read is newer than that.
 * @throws what `read` does.
 * @example await everybody((params) => hub.call("presence", params));
 */
export async function everybody(
  read: (params: Params<"presence">) => Promise<Presence>,
  params: Params<"presence"> = {},
): Promise<Presence> {
  let { version, instances, next } = await read(params);
  while (next !== undefined) {
    const page = await read({ next });
    instances = instances.concat(page.instances);
    next = page.next;
  }
  return { version, instances };
}
