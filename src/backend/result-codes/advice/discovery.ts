import { callerIsWrong, type AdviceFor } from "../advice.ts";
import type { discoverySentences } from "../discovery.ts";

/** What to do about calls of `service/configuration`. */
export const discoveryAdvice: AdviceFor<typeof discoverySentences> = {
  A221201: callerIsWrong("Let `patch` be the text of a JSON Patch (RFC 6902): a JSON array of operations."),
  A221202: callerIsWrong("Compare the paths of the patch with the metadata that are answered without a patch."),
  A221203: callerIsWrong("Let the patch add less."),
};
