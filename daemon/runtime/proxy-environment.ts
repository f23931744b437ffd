/** A proxy as the environment names it, not validated. */
interface ProxyVariables {
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY?: string;
}

/**
 * HTTPS_PROXY and NO_PROXY in the environment, without spaces around them. Lower-case names count too, and win, as for curl
 * and Node; a file that HTTPS_PROXY_FILE names counts where neither is set.
 * @param readFile returns a file's text, or undefined when there is no such file
 */
export function proxyVariables(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string | undefined,
): ProxyVariables {
  const named = (name: string) => env[name.toLowerCase()]?.trim() || env[name]?.trim();
  const path = env['HTTPS_PROXY_FILE']?.trim();
  const url = named('HTTPS_PROXY') || (path && readFile(path)?.trim());
  const noProxy = named('NO_PROXY');
  return { ...(url ? { HTTPS_PROXY: url } : {}), ...(noProxy ? { NO_PROXY: noProxy } : {}) };
}
