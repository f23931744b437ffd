const { PATH = '', NODE_COMPILE_CACHE, TEST_BUNDLES } = process.env;

/** The environment of every program under test, apart from what its test adds: nothing else of this machine. */
export const BARE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH,
  // Compiled code, which halves the CPU of a start.
  ...(NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}),
  // The programs that it starts itself.
  ...(TEST_BUNDLES ? { TEST_BUNDLES } : {}),
};
