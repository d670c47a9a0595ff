/**
 * Targets of replies, each made once: a service answers the same mailboxes over and over.
 *
 * Owns: the cache. Called by every service on each request.
 *
 * I1: asked twice for the same node, mailbox and way, it answers with the same object.
 */
import type { MailboxId, NodeId } from '../../engine/foundation/ids.ts';
import type { Target } from '../../engine/protocol/actor.ts';

export class ReplyTargets {
  readonly #via: Target['via'];
  readonly #ofNode = new Map<NodeId, Map<MailboxId, Target>>();

  constructor(via: Target['via']) {
    this.#via = via;
  }

  of(node: NodeId, mailbox: MailboxId): Target {
    let ofMailbox = this.#ofNode.get(node);
    if (ofMailbox === undefined) {
      ofMailbox = new Map();
      this.#ofNode.set(node, ofMailbox);
    }
    let target = ofMailbox.get(mailbox);
    if (target === undefined) {
      target = { node, mailbox, via: this.#via };
      ofMailbox.set(mailbox, target);
    }
    return target;
  }
}
