import type { Binding, Destination } from './binding.js';
import type { BindingIndex, Routable } from './exchange.js';

// Topic patterns (specification 3.1.3.3): words separated by dots, `*` is one word, `#` is zero or more. Empty words count.

interface Node {
  readonly isHash: boolean;
  readonly children: Map<string, Node>;
  readonly bindings: Set<Binding>;
}

/** Patterns as a trie, walked as a set of nodes word by word: the time is bounded however many `#` a pattern has. */
export class TopicIndex implements BindingIndex {
  readonly #root: Node = makeNode('');

  add(binding: Binding): void {
    let node = this.#root;
    for (const word of words(binding.routingKey)) {
      let child = node.children.get(word);
      if (child === undefined) node.children.set(word, (child = makeNode(word)));
      node = child;
    }
    node.bindings.add(binding);
  }

  remove(binding: Binding): void {
    const path = [this.#root];
    const pattern = words(binding.routingKey);
    for (const word of pattern) path.push((path.at(-1) as Node).children.get(word) as Node);
    (path.at(-1) as Node).bindings.delete(binding);
    for (let depth = pattern.length; depth > 0 && isEmpty(path[depth] as Node); depth--) {
      (path[depth - 1] as Node).children.delete(pattern[depth - 1] as string);
    }
  }

  match({ routingKey }: Routable, found: (destination: Destination) => void): void {
    let reached = new Set<Node>();
    reach(this.#root, reached);
    for (const word of words(routingKey)) {
      const next = new Set<Node>();
      for (const node of reached) step(node, word, next);
      reached = next;
    }
    for (const node of reached) {
      for (const binding of node.bindings) found(binding.destination);
    }
  }
}

function step(node: Node, word: string, next: Set<Node>): void {
  if (node.isHash) reach(node, next);
  for (const edge of [word, '*']) {
    const child = node.children.get(edge);
    if (child !== undefined) reach(child, next);
  }
}

/** A `#` below a node may stand for no word at all, so reaching the node reaches it as well. */
function reach(node: Node, set: Set<Node>): void {
  if (set.has(node)) return;
  set.add(node);
  const hash = node.children.get('#');
  if (hash !== undefined) reach(hash, set);
}

function words(key: string): string[] {
  return key === '' ? [] : key.split('.');
}

function makeNode(word: string): Node {
  return { isHash: word === '#', children: new Map(), bindings: new Set() };
}

function isEmpty(node: Node): boolean {
  return node.children.size === 0 && node.bindings.size === 0;
}
