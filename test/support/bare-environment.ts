const { PATH = '', NODE_COMPILE_CACHE } = process.env;

/** What a program of ours is started with beside what a test gives it: nothing of the machine that it could go by. */
export const BARE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH,
  // Where CI keeps what is compiled already.
  ...(NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}),
};
