/** What comes from outside becomes text, never markup. */

export function byId(id) {
  return document.getElementById(id);
}

/** An element with a class, if any, and what is in it: elements or text. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Leaves equal text alone, so that nothing is announced that has not changed. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A name and its value, as a `div` for a `dl`; gives both, the value to be filled. */
export function labelled(name, className) {
  const value = element('dd', className);
  return { row: element('div', '', element('dt', '', name), value), value };
}
