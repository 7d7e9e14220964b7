import type { components } from "./schema";

type Schemas = components["schemas"];

export type User = Schemas["User"];
export type ConversationSummary = Schemas["Conversation"];
export type ConversationList = Schemas["ConversationList"];
export type ConversationDetail = Schemas["ConversationDetail"];
export type StoredMessage = Schemas["Message"];
export type MessageStatus = Schemas["MessageStatus"];
export type SendRequest = Schemas["SendMessageRequest"];
export type StreamEvent = Schemas["StreamEvent"];
