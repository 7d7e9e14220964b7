import { App } from "@/shell/app";

/** Served for every `/c/<id>`: which conversation it is, only the browser knows. */
export default function ConversationPage() {
  return <App exportedFor="conversation" />;
}
