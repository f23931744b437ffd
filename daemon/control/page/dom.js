/** Data from outside becomes text, never markup. */

export function byId(id) {
  return document.getElementById(id);
}

/** Creates an element with an optional class and children: elements or text. */
export function element(tag, className, ...children) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children);
  return created;
}

/** Leaves equal text alone, so that screen readers announce only changes. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Creates a row for a `dl`: returns it and its `dd`, to be filled in. */
export function labeled(name, className) {
  const value = element('dd', className);
  return { row: element('div', '', element('dt', '', name), value), value };
}
