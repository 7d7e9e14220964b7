import { Problem } from "@/api/client";
import { getConversation } from "@/api/conversations";
import { sendMessage } from "@/api/messages";
import type { SendRequest } from "@/api/types";
import type { Conversation } from "./model";
import type { Message } from "./tree";

/**
 * How another answer to `question` is asked for, in place of `answer`, as often as it takes to arrive.
 *
 * A regeneration has no id that would make a second request the same as the first. So before it is repeated history
 * is asked whether the first arrived after all; null says that it did, and that history knows the rest.
 */
export function regeneration(
  { id, messages }: Conversation,
  question: Message,
  answer: Message,
): (signal: AbortSignal) => Promise<Response | null> {
  const known = new Set(messages.map((message) => message.id));
  const body: SendRequest = {
    id,
    trigger: "regenerate-message",
    messageId: answer.id,
    messages: [{ id: question.id, role: "user", parts: [{ type: "text", text: question.text }] }],
  };
  let asked = false;

  const arrived = async (): Promise<boolean> => {
    const { messages: stored } = await getConversation(id);
    return stored.some((message) => message.parent_id === question.id && !known.has(message.id));
  };

  return async (signal) => {
    const again = asked;
    if (again && (await arrived())) return null;
    asked = true;
    try {
      return await sendMessage(body, signal);
    } catch (error) {
      // The first one was still on its way, and is being answered now.
      if (again && error instanceof Problem && error.status === 409) return null;
      throw error;
    }
  };
}
