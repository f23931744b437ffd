/**
 * Built-ins that ebml 3.0.0 replaces, for the whole process, with polyfills of 2018: a Map without groupBy, a slow
 * Array.from.
 */
const REPLACED: readonly (readonly [holder: object, key: string])[] = [
  [globalThis, 'Map'],
  [Map.prototype, 'constructor'],
  [Array, 'from'],
  [Number, 'parseInt'],
  [Function.prototype, 'toString'],
];
/** Globals that it adds. */
const ADDED = ['core', '__core-js_shared__'];

const before = REPLACED.map(([holder, key]) => Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor);

/** Restores what was there when this module was imported, which must be before ebml. */
export function restoreBuiltIns(): void {
  REPLACED.forEach(([holder, key], i) => {
    Object.defineProperty(holder, key, before[i] as PropertyDescriptor);
  });
  for (const key of ADDED) Reflect.deleteProperty(globalThis, key);
}
