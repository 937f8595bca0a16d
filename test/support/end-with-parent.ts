/**
 * Loaded by processes that tests start (`--import`): ends them when the test's process is gone, however it ended. The
 * channel to it does not keep them alive.
 */
process.on("disconnect", () => process.exit(1));
process.channel?.unref();
