import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/** Only identifiers can be imported by name. */
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Loaded on demand: commander requires it for subcommands that are separate programs, of which there are none; 16 ms. */
const LOADED_ON_DEMAND = 'node:child_process';

/**
 * Loads Node's own modules with process.getBuiltinModule instead of an import statement, which reads every export, and so
 * evaluates lazy getters: `import 'node:http'` loads undici for its WebSocket, and costs 50 ms at start instead of 8 ms.
 * It also serves packages that call require(), which does not exist in ES modules.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const namespace = kind === 'import-statement' ? 'builtin-exports' : 'builtin';
      return { path: path.replace(/^(node:)?/, 'node:'), namespace, sideEffects: false };
    });
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = ${path === LOADED_ON_DEMAND ? loadedOnDemand(path) : loaded(path)};`,
    }));
    onLoad({ filter: /^/, namespace: 'builtin-exports' }, ({ path }) => ({ contents: exportsOf(path) }));
  },
};

/** One export per export of the module; PURE, so that unused ones are dropped without being read. */
function exportsOf(path: string): string {
  const exported = namesIn(path);
  const lines = exported.map((name) => `const _${name} = /* @__PURE__ */ (() => builtin.${name})();`);
  const list = exported.map((name) => `_${name} as ${name}`).join(', ');
  return `const builtin = ${loaded(path)};\n${lines.join('\n')}\nexport { builtin as default, ${list} };`;
}

/** An object whose properties load the module when they are read. */
function loadedOnDemand(path: string): string {
  return `{ ${namesIn(path)
    .map((name) => `get ${name}() { return ${loaded(path)}.${name}; }`)
    .join(', ')} }`;
}

function namesIn(path: string): string[] {
  const names = Object.keys(process.getBuiltinModule(path) ?? {});
  return names.filter((name) => IDENTIFIER.test(name) && name !== 'default');
}

function loaded(path: string): string {
  return `/* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)})`;
}

/** Optional dependencies of ws: native masking and UTF-8 checks. */
const OPTIONAL = /^(bufferutil|utf-8-validate)$/;

/** Fails for these modules as Node does for missing ones, so that nothing outside the release is ever loaded. */
export const optionalAddOnsAbsent: Plugin = {
  name: 'optional-add-ons-absent',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: OPTIONAL }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: OPTIONAL, namespace: 'absent' }, ({ path }) => ({
      contents: `throw Object.assign(new Error('${path} is not part of the release'), { code: 'MODULE_NOT_FOUND' });`,
    }));
  },
};
