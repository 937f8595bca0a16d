/** The result codes of `service/configuration`, each with its sentence for people. */
export const discoverySentences = {
  A221201: "The patch is not a JSON Patch.",
  A221202: "The patch cannot be applied to the metadata.",
  A221203: "The patch makes the metadata larger than they may be.",
} as const;
