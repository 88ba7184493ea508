// State that the modules share, and events between them.

export const store = {
  begin: null, // what the server offers
  source: null, // facts of the source, with what its scan found
  position: 0, // seconds
  secondsEach: null, // what a new frame takes
};

const listeners = {};

export function on(event, listener) {
  (listeners[event] ??= []).push(listener);
}

export function emit(event, value) {
  for (const listener of listeners[event] ?? []) listener(value);
}
