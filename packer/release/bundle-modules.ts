import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Takes Node's own modules by process.getBuiltinModule, not by an import statement. An import reads every export, and
 * some of them load what nobody asked for: `import 'node:http'` evaluates the getter of WebSocket, and with it undici,
 * for 50 ms of a start; taken this way node:http costs 8 ms. It also serves the packages that call require(), which
 * an ES module has not.
 */
export const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path }) =>
      isBuiltin(path) ? { path: path.replace(/^(node:)?/, 'node:'), namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** What packages try to load and do without: faster masking and UTF-8 checks for ws, compiled; colours for debug. */
const OPTIONAL = /^(bufferutil|utf-8-validate|supports-color)$/;

/** Answers for them as Node does for what is not there, so that nothing beside the release is ever looked for. */
export const optionalAddOnsAbsent: Plugin = {
  name: 'optional-add-ons-absent',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: OPTIONAL }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: OPTIONAL, namespace: 'absent' }, ({ path }) => ({
      contents: `throw Object.assign(new Error('${path} is not part of the release'), { code: 'MODULE_NOT_FOUND' });`,
    }));
  },
};
