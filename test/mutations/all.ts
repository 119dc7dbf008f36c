import { CLOCK_MUTATIONS } from "./clock.ts";
import { FRESH_MUTATIONS } from "./fresh.ts";
import { MUTATIONS, type Mutation } from "./mutations.ts";
import { TEMPLATE_MUTATIONS } from "./templates.ts";
import { WORK_MUTATIONS } from "./work.ts";

/** Every bug that is planted. */
export const ALL_MUTATIONS: readonly Mutation[] = [
  ...MUTATIONS,
  ...TEMPLATE_MUTATIONS,
  ...WORK_MUTATIONS,
  ...CLOCK_MUTATIONS,
  ...FRESH_MUTATIONS,
];
