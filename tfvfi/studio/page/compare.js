// Compares two pictures in one place: with a sliding divider, or by flipping between them.

import { all, find } from './dom.js';

export class Compare {
  constructor(stage) {
    this.stage = stage;
    this.left = find('.left', stage);
    this.right = find('.right', stage);
    this.line = find('.line', stage);
    this.split = find('.split', stage);
    this.tags = all('.tag', stage);
    this.flips = [];
    this.number = 0;
    this.split.addEventListener('input', () => this.place());
    const stack = find('.stack', stage);
    const move = (event) => {
      const box = stack.getBoundingClientRect();
      this.split.value = (100 * (event.clientX - box.left)) / box.width;
      this.place();
    };
    stack.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      if (this.flipping) {
        this.next();
        return;
      }
      stack.setPointerCapture(event.pointerId);
      move(event);
    });
    stack.addEventListener('pointermove', (event) => {
      if (stack.hasPointerCapture(event.pointerId)) move(event);
    });
    this.place();
  }

  // Shows two pictures, each with "src" and "name"; `flips` are the ones that are flipped through.
  show(left, right, flips = [left, right]) {
    this.pictures = [left, right];
    this.flips = flips;
    this.stage.classList.add('shown');
    this.draw();
  }

  clear() {
    this.pictures = null;
    this.stage.classList.remove('shown');
    for (const image of [this.left, this.right]) image.removeAttribute('src');
  }

  mode(flipping) {
    this.flipping = flipping;
    this.stage.classList.toggle('flipping', flipping);
    this.draw();
  }

  next() {
    if (!this.flips.length) return;
    this.number = (this.number + 1) % this.flips.length;
    this.draw();
  }

  waiting(yes) {
    this.stage.classList.toggle('waiting', yes);
  }

  draw() {
    if (!this.pictures) return;
    const [left, right] = this.flipping
      ? [this.flips[this.number % this.flips.length], null]
      : this.pictures;
    put(this.left, left);
    put(this.right, right ?? left);
    this.tags[0].textContent = left.name;
    this.tags[1].textContent = right?.name ?? '';
    this.place();
  }

  place() {
    const share = this.flipping ? 100 : Number(this.split.value);
    this.left.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    this.line.style.left = `${share}%`;
  }
}

function put(image, picture) {
  image.alt = picture.name;
  if (image.getAttribute('src') !== picture.src) image.src = picture.src;
}
