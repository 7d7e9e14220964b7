import { App } from "@/shell/app";

export default function StartPage() {
  return <App exportedFor="start" />;
}
