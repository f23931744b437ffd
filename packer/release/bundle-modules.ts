import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/** Export names that are no words of JavaScript cannot be imported by name. */
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** commander requires it for subcommands that are programs of their own; there are none here, and it costs 16 ms. */
const NEVER_MEANT = 'node:child_process';

/**
 * Takes Node's own modules by process.getBuiltinModule, not by an import statement: that reads every export, and some
 * of them load what nobody asked for. `import 'node:http'` evaluates the getter of WebSocket, and with it undici, for
 * 50 ms of a start; taken this way it costs 8 ms. Packages that call require(), which an ES module has not, get theirs.
 */
export const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const namespace = kind === 'import-statement' ? 'builtin-exports' : 'builtin';
      return { path: path.replace(/^(node:)?/, 'node:'), namespace, sideEffects: false };
    });
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = ${path === NEVER_MEANT ? takenWhenUsed(path) : taken(path)};`,
    }));
    onLoad({ filter: /^/, namespace: 'builtin-exports' }, ({ path }) => ({ contents: exportsOf(path) }));
  },
};

/** An export for each of the module's: PURE, so that those which nobody imports are dropped unread. */
function exportsOf(path: string): string {
  const exported = namesIn(path);
  const lines = exported.map((name) => `const _${name} = /* @__PURE__ */ (() => builtin.${name})();`);
  const list = exported.map((name) => `_${name} as ${name}`).join(', ');
  return `const builtin = ${taken(path)};\n${lines.join('\n')}\nexport { builtin as default, ${list} };`;
}

/** The module as an object whose every property loads it. */
function takenWhenUsed(path: string): string {
  return `{ ${namesIn(path)
    .map((name) => `get ${name}() { return ${taken(path)}.${name}; }`)
    .join(', ')} }`;
}

function namesIn(path: string): string[] {
  const names = Object.keys(process.getBuiltinModule(path) ?? {});
  return names.filter((name) => IDENTIFIER.test(name) && name !== 'default');
}

function taken(path: string): string {
  return `/* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)})`;
}

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
