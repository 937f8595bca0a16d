import { proxyKinds } from "./proxy-kinds.ts";
import { testProxy } from "./proxy-tests.ts";

testProxy(proxyKinds.apache);
