// Made of main.js and its modules by go generate. Their SHA-256: d999839e6b87a4d15c8e82d1dfb132f1e11168a632cd6b44708c3a2f577676bb
var prefix="wsbridge.";function recall(key,otherwise,area="localStorage"){try{return JSON.parse(window[area].
getItem(prefix+key))??otherwise}catch{return otherwise}}function remember(key,value,area="localStora\
ge"){try{window[area].setItem(prefix+key,JSON.stringify(value))}catch{}}var Address=class{#field;#page=location.href.replace(/#.*/,"");constructor(field){this.#field=field;
const kept=recall("tab",{},"sessionStorage");const same=kept.page===this.#page;field.value=same?kept.
address:this.#own().href;this.resumes=same&&kept.connected&&performance.getEntriesByType("navigation")[0]?.
type==="reload"}get value(){return this.#field.value}get path(){return this.value.replace(/^wss?:\/\/[^/]*/,
"")}read(){const own=this.#own();if(!URL.canParse(this.value.trim(),own))throw new Error("this addre\
ss is not a URL");const url=new URL(this.value.trim(),own);if(url.host!==own.host)throw new Error(`t\
his page may connect only to the server that it came from, ${own.host}`);url.protocol=own.protocol;url.
hash="";return this.#field.value=url.href}remember(connected){remember("tab",{page:this.#page,address:this.
value,connected},"sessionStorage")}#own(){const url=new URL(this.#page);url.protocol=url.protocol===
"https:"?"wss:":"ws:";return url}};var meanings={1e3:"the command ended with exit status 0",1001:"the server has ended the connection",
1002:"the server takes what was sent for a breach of the protocol",1003:"the server does not take me\
ssages of this kind",1005:"closed without a code",1006:"the connection was lost: the server is gone,\
 or did not hear from this page for too long",1007:"the server could not read what was sent",1008:"t\
he server’s policy does not allow this",1009:"the message was larger than the server takes (--maxf\
ramesize)",1010:"the server lacks an extension",1011:"the server could not start or go on with the c\
ommand",1012:"the command is being restarted",1013:"the server has too much to do; try again later",
1014:"a server behind this one gave a bad answer",1015:"the TLS handshake failed",4404:"the server k\
nows this session no longer",4409:"another connection has taken over",4410:"the server no longer kee\
ps what was missed"};var causes={"server shutting down":"the server is shutting down","session timeo\
ut":"the connection was as old as the server lets it become (--timeout)",idle:"nothing was said for \
as long as the server allows (--idletimeout)"};var signals={1:"SIGHUP",2:"SIGINT",3:"SIGQUIT",4:"SIG\
ILL",5:"SIGTRAP",6:"SIGABRT",8:"SIGFPE",9:"SIGKILL",11:"SIGSEGV",13:"SIGPIPE",14:"SIGALRM",15:"SIGTE\
RM"};function ending({code,reason,opened,ours,refusal}){if(ours)return"Disconnected";if(code===1006&&
!opened)return failing(refusal);if(code>4e3&&code<4256)return`${code}: the command ${commandsEnd(code-
4e3,reason)}`;if(code===1001&&Object.hasOwn(causes,reason))return`${code}: ${causes[reason]}`;const meaning=meanings[code]??
"closed with a code of the command’s or the server’s own";return`${code}: ${meaning}${reason?` (${reason}\
)`:""}`}function failing({status,reason}){if(status===void 0)return"1006: no connection: the server \
cannot be reached";if(status===0)return"1006: no connection: the server redirects this address, perh\
aps to a login";if(status<400)return"1006: no connection, but the server would accept one now: try a\
gain; a proxy on the way may not pass WebSockets on";return`${status}: ${reason||"the server has ref\
used the connection"}`}function commandsEnd(n,reason){const number=n-128,name=signals[number];const signal=`\
signal ${number}${name?` (${name})`:""}`;if(n>128&&!reason.startsWith("exit status"))return`was kill\
ed by ${signal}`;return`ended with exit status ${n}${n>128&&name?`, as a shell does after ${signal}`:
""}`}var mostLines=200;var longest=1e4;var History=class{#lines=recall("history",[]).filter(line=>typeof line===
"string");#at=this.#lines.length;#draft="";add(line){if(line&&line.length<=longest&&line!==this.#lines.
at(-1)){this.#lines=[...recall("history",this.#lines),line].slice(-mostLines);remember("history",this.#lines)}
this.#at=this.#lines.length;this.#draft=""}back(current){if(this.#at===0)return void 0;if(this.#at===
this.#lines.length)this.#draft=current;return this.#lines[--this.#at]}forth(){if(this.#at===this.#lines.
length)return void 0;return this.#lines[++this.#at]??this.#draft}};var pairs=Array.from({length:256},(_,i)=>i.toString(16).padStart(2,"0"));function hexOf(data){let text2="";
for(const byte of data)text2+=pairs[byte]+" ";return text2.trimEnd()}function dump(data,perLine){const lines=[];
for(let at=0;at<data.length;at+=perLine){const line=data.subarray(at,at+perLine);const text2=String.
fromCharCode(...line).replace(/[^ -~]/g,".");lines.push(`${at.toString(16).padStart(6,"0")}  ${hexOf(
line).padEnd(3*perLine)} ${text2}`)}return lines.join("\n")}function parseHex(text2){const data=[];for(const word of text2.
split(/[\s,;:-]+/)){const nibbles=word.replace(/^(0x|\\x)/i,"");const wrong=nibbles.match(/[^0-9a-f]/iu);
if(wrong)throw new Error(`“${wrong[0]}” is not a hexadecimal digit`);if(nibbles.length%2)throw new Error(
`“${word}” has an odd number of digits`);for(let i=0;i<nibbles.length;i+=2)data.push(parseInt(nibbles.
slice(i,i+2),16))}return Uint8Array.from(data)}var encode=text2=>new TextEncoder().encode(text2);function messagesOf(text2,how,binary){if(how==="he\
x")return[parseHex(text2)];if(how==="whole")return[binary?encode(text2):text2];return text2.split("\n").
map(line=>binary?encode(line+"\n"):line)}var piece=64*1024;async function*messagesIn(file,how,binary){
if(how!=="lines"){const data=new Uint8Array(await file.arrayBuffer());yield how==="hex"||binary?data:
textOr(data);return}const decoder=new TextDecoder("utf-8",{fatal:true});let rest="";for(let at=0;at<
file.size;at+=piece){const data=new Uint8Array(await file.slice(at,at+piece).arrayBuffer());if(binary){
yield data;continue}const lines=(rest+decode(decoder,data,at+piece<file.size)).split(/\r?\n/);rest=lines.
pop();yield*lines}if(rest)yield rest}function decode(decoder,data,stream){try{return decoder.decode(
data,{stream})}catch{throw new Error("the file is not text in UTF-8; send it as one message")}}function textOr(data){
try{return new TextDecoder("utf-8",{fatal:true,ignoreBOM:true}).decode(data)}catch{return data}}var mostUnsent=2**20;var Composer=class{#find;#to;#binary;#history=new History;#sendingFile=false;constructor(find,binary,to){
this.#find=find;this.#binary=binary;this.#to=to;const how=find("#how");how.value=recall("how","lines");
if(!how.value)how.value="lines";how.onchange=()=>{remember("how",how.value);this.#check()};find("#co\
mposer").onsubmit=event=>{event.preventDefault();this.#send()};find("#line").oninput=()=>this.#fit();
find("#line").onkeydown=event=>this.#key(event);find("#file").onclick=()=>this.#sendingFile?this.#sendingFile=
false:find("#picker").click();find("#picker").onchange=event=>this.#sendFile(event.target.files[0]);
this.#takeDrops()}invite(){if(!matchMedia("(pointer: coarse)").matches)this.#find("#line").focus()}async#send(){
const line=this.#find("#line"),text2=line.value;let messages;try{messages=messagesOf(text2,this.#find(
"#how").value,this.#binary)}catch(problem){this.#complain(problem.message);return}this.#history.add(
text2);this.#write("");if(await this.#to.ready())messages.forEach(this.#to.send);else if(!line.value)
this.#write(text2)}async#sendFile(file){this.#find("#picker").value="";if(!file||this.#sendingFile)return;
this.#showSending(true);let sent=0;try{if(!await this.#to.ready())return;for await(const message of messagesIn(
file,this.#find("#how").value,this.#binary)){while(this.#sendingFile&&this.#to.unsent()>mostUnsent)await new Promise(
go=>setTimeout(go,5));if(!this.#sendingFile||!this.#to.isOpen())break;this.#to.send(message);sent++}
this.#to.note(`file ${file.name} sent: ${sent} message${sent===1?"":"s"}`)}catch(problem){this.#complain(
problem.message)}finally{this.#showSending(false)}}#showSending(sending){this.#sendingFile=sending;this.#find(
"#file").textContent=sending?"Stop":"File…"}#key(event){const line=event.target,{value,selectionStart,
selectionEnd}=line;if(event.isComposing||event.altKey||event.metaKey||event.shiftKey)return;if(event.
key==="Enter"){event.preventDefault();this.#send()}else if(event.key==="ArrowUp"&&!value.slice(0,selectionStart).
includes("\n")){this.#replace(event,this.#history.back(value))}else if(event.key==="ArrowDown"&&!value.
slice(selectionEnd).includes("\n")){this.#replace(event,this.#history.forth())}}#replace(event,text2){
if(text2===void 0)return;event.preventDefault();this.#write(text2)}#write(text2){this.#find("#line").
value=text2;this.#fit()}#fit(){const line=this.#find("#line");line.rows=Math.min(8,line.value.split(
"\n").length);this.#check()}#check(){if(this.#find("#trouble").textContent)this.#complain("")}#complain(what){
this.#find("#trouble").textContent=what;this.#find("#line").ariaInvalid=what!==""}#takeDrops(){addEventListener(
"dragover",event=>event.preventDefault());addEventListener("drop",event=>{event.preventDefault();this.#sendFile(
event.dataTransfer.files[0])})}};var keptBytes=1<<20;var slowest=3e4;var patience=3e4;var lasting=1e4;var asleep=1e5;var randomKey=()=>crypto.
getRandomValues(new Uint32Array(4)).reduce((key,n)=>key+n.toString(16).padStart(8,"0"),"");var sizeOf=message=>message.
size??message.byteLength??new TextEncoder().encode(message).length;var abandon=socket=>Object.assign(
socket,{onmessage:null,onclose:null}).close();var ResumingSocket=class extends EventTarget{static CONNECTING=0;static OPEN=1;static CLOSING=2;static CLOSED=3;CONNECTING=0;OPEN=1;CLOSING=2;CLOSED=3;onopen=null;onmessage=null;onerror=null;onclose=null;onstate=null;protocol="";readyState=0;state="\
connecting";since=Date.now();#link;#attempt;#closing;#protocols;#memory;#binaryType="blob";#failures=0;#seen=Date.
now();#retry;#watch;#keeps=keptBytes;#renew=()=>{if(!this.#attempt&&this.readyState<2)this.#connect()};constructor(url,protocols=[],{
key}={}){super();for(const type of["open","message","error","close","state"]){this.addEventListener(
type,event=>this[`on${type}`]?.(event))}this.url=new URL(url,location.href).href.replace(/^http/,"ws");
this.#protocols=["wsbridge.v1"].concat(protocols);this.#memory=new Memory(key,this.url);this.#connect();
globalThis.addEventListener("online",this.#renew);this.#watch=setInterval(()=>{if(Date.now()-this.#seen>
asleep)this.#renew();this.#seen=Date.now()},lasting);queueMicrotask(()=>this.#become(this.state))}get binaryType(){
return this.#binaryType}set binaryType(type){this.#binaryType=type;for(const socket of[this.#link,this.#attempt].
filter(Boolean))socket.binaryType=type}get bufferedAmount(){return this.#link?.bufferedAmount??this.#memory.
bytes}send(data){if(this.readyState>=2)return;const message=this.#memory.add(data);if(this.#link?.readyState!==
1)return;this.#link.send(message);if(this.#memory.session.shared)this.#memory.drop();else if(this.#memory.
weight-this.#link.bufferedAmount>this.#keeps)this.#renew()}close(...how){if(this.readyState>=2)return;
if(!this.#link)return this.#finish(1006,"",false);if(!this.#attempt)this.#link.close(...how);this.#closing=
how;this.readyState=2}#connect(){clearTimeout(this.#retry);const url=new URL(this.url),{key,received}=this.#memory.
session;url.search+=`${url.search?"&":"?"}resume=${key}&received=${received}`;const socket=this.#attempt=
new WebSocket(url.href,this.#protocols);socket.binaryType=this.#binaryType;setTimeout(()=>{if(this.#attempt===
socket)socket.onclose({code:1006})},patience);let next;socket.onmessage=event=>{if(next!==void 0)return this.#receive(
next++,event);const hello=JSON.parse(event.data);this.#greeted(socket,hello);next=hello.next};socket.
onclose=event=>{abandon(socket);this.#ended(socket,event)}}#greeted(socket,{session,resumed,received,
next,readonly=false}){const known=this.#memory.session,away=this.state==="away"?Date.now()-this.since:
0;if(!known.greeted)known.shared=session!==known.key;if(received>known.dropped)this.#failures=0;const forgotten=known.
greeted&&!resumed;if(!known.shared&&(forgotten||!this.#memory.drop(received)))return this.#finish(4404,
"no such session",false);this.#memory.update({key:session,greeted:true,received:resumed?known.received:
next-1});if(this.#link)abandon(this.#link);[this.#link,this.#attempt,this.protocol]=[socket,void 0,socket.
protocol];for(const message of this.#memory.messages)socket.send(message);if(known.shared)this.#memory.
drop();this.#keeps=Math.max(keptBytes,2*this.#memory.weight);if(this.#closing)return socket.close(...this.#closing);
if(this.readyState===0){this.readyState=1;this.dispatchEvent(new Event("open"))}if(this.state!=="ope\
n")this.#become("open",{resumed,away,readonly})}#receive(number,{data,origin}){if(number<=this.#memory.
session.received)return;this.#memory.session.received=number;this.#failures=0;this.dispatchEvent(new MessageEvent(
"message",{data,origin}));if(this.readyState<3)this.#memory.update()}#ended(socket,{code,reason,wasClean}){
const again=code===1006||code===1001&&reason!=="session timeout"&&reason!=="idle";if(socket!==this.#link){
this.#attempt=void 0;if(this.#link)return this.#closing&&this.#link.close(...this.#closing)}else{this.#link=
void 0;if(this.#attempt&&code===4409)return;if(this.#attempt&&again)return this.#closing||this.#become(
"away")}if(!again||this.#closing)return this.#finish(code,reason,wasClean);if(this.state==="open"&&Date.
now()-this.since>lasting)this.#failures=0;const wait=this.#failures&&Math.min(slowest,1e3*2**(this.#failures-
1))*(.75+Math.random()/2);this.#failures++;this.#retry=setTimeout(this.#renew,wait);this.#become(this.
state==="open"?"away":this.state,{retryAt:Date.now()+wait})}#finish(code,reason,wasClean){this.readyState=
3;[this.#link,this.#attempt].filter(Boolean).forEach(abandon);this.#link=this.#attempt=void 0;[this.#retry,
this.#watch].forEach(clearTimeout);globalThis.removeEventListener("online",this.#renew);this.#memory.
clear();this.#become("closed");if(!wasClean)this.dispatchEvent(new Event("error"));this.dispatchEvent(
new CloseEvent("close",{code,reason,wasClean}))}#become(state,more){if(state!==this.state)this.since=
Date.now();this.state=state;this.dispatchEvent(new CustomEvent("state",{detail:{state,since:this.since,
...more}}))}};var Memory=class{session={key:randomKey(),greeted:false,shared:false,received:0,dropped:0};messages=[];bytes=0;#area;#prefix;constructor(key,url){
this.#prefix=`wsbridge ${key} ${url} `;try{this.#area=key===void 0?void 0:sessionStorage}catch{}const load=name=>JSON.
parse(this.#area?.getItem(this.#prefix+name)??null);this.update(load("session"));for(let kept;(kept=
load(this.#last+1))!==null;)this.#keep(kept.bytes?Uint8Array.from(kept.bytes):kept)}get#last(){return this.
session.dropped+this.messages.length}get weight(){return this.bytes+64*this.messages.length}update(changes){
this.#save("session",Object.assign(this.session,changes))}#save(name,value){this.#area?.setItem(this.#prefix+
name,JSON.stringify(value))}add(data){if(data instanceof Blob&&this.#area)throw new TypeError("no Bl\
ob with a key");let message=data instanceof Blob||data.byteLength!==void 0?data:String(data);if(message.
byteLength!==void 0)message=new Uint8Array(data.buffer??data,data.byteOffset,data.byteLength).slice();
this.#area&&this.#save(this.#last+1,message.byteLength===void 0?message:{bytes:[...message]});return this.#keep(
message)}#keep(message){this.bytes+=sizeOf(message);this.messages.push(message);return message}drop(number=this.#last){
if(number<this.session.dropped||number>this.#last)return false;for(const message of this.messages.splice(
0,number-this.session.dropped)){this.bytes-=sizeOf(message);const gone=++this.session.dropped;this.#area?.
removeItem(this.#prefix+gone)}return true}clear(){this.drop();this.#area?.removeItem(`${this.#prefix}\
session`)}};async function refusalAt(address2,signal){const url=new URL(address2);url.protocol=url.protocol==="w\
ss:"?"https:":"http:";try{const answer=await fetch(url,{headers:{"Wsbridge-Origin":location.origin},
cache:"no-store",redirect:"manual",signal:AbortSignal.any([signal,AbortSignal.timeout(5e3)])});return{
status:answer.status,reason:await reasonIn(answer)}}catch{return{}}}async function reasonIn(answer){
const text2=/^text\/plain\b/.test(answer.headers.get("Content-Type"))?(await answer.text()).trim():"";
return text2&&text2.length<=200&&!text2.includes("\n")?text2:answer.statusText}var Connection=class{state="closed";retry=false;retryAt=0;resume=false;awaySince=0;#address;#socket;#failures=0;#timer;#asking;constructor({
onState:onState2,onMessage:onMessage2,onEnd:onEnd2}){this.onState=onState2;this.onMessage=onMessage2;
this.onEnd=onEnd2;addEventListener("pagehide",()=>this.resume&&this.#socket?.close(1e3))}connect(address2){
clearTimeout(this.#timer);this.#failures=0;this.#address=address2;this.#open()}disconnect(){if(this.
state==="waiting"){clearTimeout(this.#timer);this.#become("closed")}else if(this.#socket){this.#become(
"closing");this.#asking.abort();this.#socket.close(1e3)}}get takes(){return this.state==="open"||this.
state==="away"}send(data){this.#socket.send(data)}get unsent(){return this.#socket?.bufferedAmount??
0}#open(){const socket=this.resume?new ResumingSocket(this.#address):new WebSocket(this.#address);socket.
onstate=event=>this.#follow(socket,event.detail);socket.binaryType="arraybuffer";let openedAt;this.#asking=
new AbortController;socket.onopen=()=>{openedAt=performance.now();if(this.state==="connecting")this.#become(
"open")};socket.onmessage=event=>this.onMessage(event.data);socket.onclose=async({code,reason})=>{const opened=openedAt!==
void 0;const refusal=opened?void 0:await refusalAt(this.#address,this.#asking.signal);const ours=this.
state==="closing";this.#socket=void 0;this.onEnd({code,reason,opened,ours,refusal});if(performance.now()-
openedAt>5e3)this.#failures=0;if(!ours&&(this.retry||code===1012))this.#wait(code);else this.#become(
"closed")};this.#socket=socket;this.#become("connecting")}#follow(socket,{state,since,retryAt}){if(state===
"connecting"&&retryAt)socket.close();if(state==="away")this.awaySince=since;if(this.takes&&(state===
"away"||state==="open")&&state!==this.state)this.#become(state)}#wait(code){const delay=code===1012?
100:Math.min(3e4,500*2**this.#failures++)*(1+Math.random()/4);this.retryAt=performance.now()+delay;this.#timer=
setTimeout(()=>this.#open(),delay);this.#become("waiting")}#become(state){this.state=state;this.onState(
state)}};var basic=[[0,0,0],[205,49,49],[13,188,121],[190,150,10],[36,114,200],[188,63,188],[17,168,205],[229,
229,229],[102,102,102],[241,76,76],[35,209,139],[230,200,40],[59,142,234],[214,112,214],[41,184,219],
[255,255,255]];var surface=[{text:[28,29,31],ground:[227,237,251]},{text:[232,232,229],ground:[33,50,
74]}];function colourOf([kind,...parts]){if(parts.some(part=>!(part>=0&&part<=255)))return void 0;if(kind===
2&&parts.length>=3)return parts.slice(0,3);if(kind!==5||parts.length===0)return void 0;const n=parts[0];
if(n<16)return basic[n];if(n>=232)return Array(3).fill(8+10*(n-232));const level=step=>step&&55+40*step;
return[Math.floor((n-16)/36),Math.floor((n-16)/6)%6,(n-16)%6].map(level)}var mixed=(a,b,part)=>a.map(
(value,i)=>value+(b[i]-value)*part);function legible(colour,ground){const end2=contrast([0,0,0],ground)>
contrast([255,255,255],ground)?[0,0,0]:[255,255,255];for(let part=0;part<1;part+=.05){const tried=mixed(
colour,end2,part);if(contrast(tried,ground)>=4.6)return tried}return end2}function contrast(a,b){const[
low,high]=[luminance(a),luminance(b)].sort((x,y)=>x-y);return(high+.05)/(low+.05)}function luminance(colour){
const[r,g,b]=colour.map(c=>c/255).map(c=>c<=.04045?c/12.92:((c+.055)/1.055)**2.4);return .2126*r+.7152*
g+.0722*b}var sequences=new RegExp(["(?:\\x1b\\[|\\x9b)([0-?]*)([ -/]*)([@-~]?)","(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9\
d-\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)?","\\x1b[ -/]*[0-~]?","[\\x80-\\x9f]"].join("|"),
"g");var hasEscapes=text2=>/[\x1b\x80-\x9f]/.test(text2);var strip=text2=>hasEscapes(text2)?text2.replace(
sequences,""):text2;function styled(text2,pictures2,most=Infinity){const nodes=[];for(const{piece:piece2,
style}of pieces(text2)){const shown=pictures2(piece2.slice(0,most));most-=shown.length;nodes.push(Object.
keys(style).length?span(shown,style):shown);if(most<=0)break}return nodes}function*pieces(text2){let style={},
at=0;for(const{0:sequence,1:parameters,2:between,3:final,index}of text2.matchAll(sequences)){if(index>
at)yield{piece:text2.slice(at,index),style};at=index+sequence.length;if(final==="m"&&!between&&/^[\d;:]*$/.
test(parameters))style=styleAfter(style,parameters)}if(at<text2.length)yield{piece:text2.slice(at),style}}
var switches={1:"bold",2:"faint",3:"italic",4:"underline",7:"inverse",9:"strike",21:"underline"};var ends={
22:["bold","faint"],23:["italic"],24:["underline"],27:["inverse"],29:["strike"],39:["text"],49:["gro\
und"]};var places={38:"text",48:"ground"};function styleAfter(style,parameters){style={...style};const groups=parameters.
split(";");while(groups.length){const[code,...more]=groups.shift().split(":").map(Number);const base=code%
10+(code>=90?8:0);if(code===0)style={};else if(code===4&&more[0]===0)delete style.underline;else if(code in
switches)style[switches[code]]=true;else if(code in ends)ends[code].forEach(name=>delete style[name]);else if(code>=
30&&code<=37||code>=90&&code<=97)style.text=colourOf([5,base]);else if(code>=40&&code<=47||code>=100&&
code<=107)style.ground=colourOf([5,base]);else if(code===38||code===48||code===58){const colour=colourOf(
more.length?withoutSpace(more):parametersOf(groups));if(colour&&places[code])style[places[code]]=colour}}
return style}var withoutSpace=([kind,...rest])=>[kind,...kind===2&&rest.length>3?rest.slice(1):rest];
function parametersOf(groups){const count2={5:2,2:4}[Number(groups[0])]??1;return groups.splice(0,count2).
map(Number)}var classes=["bold","italic","underline","strike"];var looks=new Map;function span(text2,style){
const key=JSON.stringify(style);if(!looks.has(key)){if(looks.size>5e3)looks.clear();looks.set(key,lookOf(
style))}const{name,color,background}=looks.get(key),node=document.createElement("span");node.textContent=
text2;node.className=name;if(color)node.style.color=color;if(background)node.style.background=background;
return node}function lookOf({text:text2,ground,inverse,faint,...style}){const pairs2=surface.map(own=>{
let front=text2??own.text,back=ground??own.ground;if(inverse)[front,back]=[back,front];if(faint)front=
mixed(front,back,.35);return{front:legible(front,back),back}});return{name:["ansi",...classes.filter(
name=>style[name])].join(" "),color:text2||ground||inverse||faint?css(pairs2.map(pair=>pair.front)):
"",background:ground||inverse?css(pairs2.map(pair=>pair.back)):""}}var css=pair=>`light-dark(${pair.
map(rgb=>`rgb(${rgb.map(Math.round).join()})`).join()})`;var digits=new Intl.NumberFormat("en");var count=n=>digits.format(n);function bytes(n){if(n<1024)return`${n}\
 B`;let unit=-1;for(;n>=1023.5;unit++)n/=1024;return`${n<9.95?n.toFixed(1):Math.round(n)} ${["KiB","\
MiB","GiB","TiB"][unit]}`}function duration(ms){if(ms<9.95)return`${ms.toFixed(1)} ms`;if(ms<999.5)return`${Math.
round(ms)} ms`;if(ms<59950)return`${(ms/1e3).toFixed(ms<9995?2:1)} s`;const seconds2=Math.round(ms/1e3),
minutes=Math.floor(seconds2/60),hours=Math.floor(minutes/60);return hours>0?`${hours} h ${minutes%60}\
 m`:`${minutes} m ${seconds2%60} s`}function byteLength(text2){let n=text2.length;for(let i=0;i<text2.
length;i++){const unit=text2.charCodeAt(i);if(unit<128)continue;n+=unit<2048||unit>=55296&&unit<57344?
1:2}return n}var sizeOf2=data=>typeof data==="string"?byteLength(data):data.length;function bytesOf(data,limit=Infinity){
if(typeof data==="string")data=new TextEncoder().encode(data.slice(0,limit));return data.subarray(0,
limit)}function textOf(data,limit=Infinity){if(typeof data==="string")return data.slice(0,limit);try{
const cut={stream:data.length>limit};const text2=new TextDecoder("utf-8",{fatal:true,ignoreBOM:true}).
decode(data.subarray(0,limit),cut);return/[\0-\x06\x0e-\x1a\x7f]/.test(text2)?void 0:text2}catch{return void 0}}
function shownOf(data){const text2=textOf(data);return text2===void 0?hexOf(data):strip(text2)}var previewed=500;
var escaped=20;function beginning(data,asHex){const text2=asHex?void 0:textOf(data,previewed);if(text2===
void 0)return hexOf(bytesOf(data,previewed/2));return hasEscapes(text2)?textOf(data,previewed*escaped)??
text2:text2}var preview=data=>pictures(strip(beginning(data))).slice(0,previewed);var pictures=text2=>text2.
replace(/[\0-\x1f\x7f]/g,picture);var picturesInLines=text2=>text2.replace(/(?!\r\n)[\0-\x08\x0b-\x1f\x7f]/g,
picture);var picture=c=>c===""?"␡":String.fromCharCode(9216+c.charCodeAt(0));function plain(entries){return Array.from(entries,({kind,time,data})=>`${timestamp(time)}	${kind}	${shownOf(
data)}
`).join("")}function jsonLines(entries){return Array.from(entries,({kind,time,data})=>{const text2=textOf(
data);return JSON.stringify({time:timestamp(time),kind,...text2===void 0?{hex:hexOf(data)}:{text:text2}})+
"\n"})}var timestamp=time=>new Date(performance.timeOrigin+time).toISOString();function download(name,type,parts){
const url=URL.createObjectURL(new Blob(parts,{type}));const link=document.createElement("a");Object.
assign(link,{href:url,download:name});link.click();setTimeout(()=>URL.revokeObjectURL(url),6e4)}async function copy(text2){
try{await navigator.clipboard.writeText(text2);return true}catch{const area=document.createElement("\
textarea"),focused=document.activeElement;area.value=text2;area.className="unseen";document.body.append(
area);area.select();const done=document.execCommand("copy");area.remove();focused?.focus();return done}}function eachFrame(draw){let asked=false;return()=>{if(asked)return;asked=true;requestAnimationFrame(
()=>{asked=false;draw()})}}function pretty(text2){if(!isJSON(text2))return void 0;const tokens=text2.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
let out="",depth=0;const newline=()=>"\n"+"  ".repeat(depth);tokens.forEach((token,i)=>{const before2=tokens[i-
1];if(token==="}"||token==="]"){depth--;out+=before2==="{"||before2==="["?token:newline()+token;return}
if(before2==="{"||before2==="["||before2===",")out+=newline();out+=token===":"?": ":token;if(token===
"{"||token==="[")depth++});return out}function isJSON(text2){if(!/^\s*[{[]/.test(text2))return false;
try{JSON.parse(text2);return true}catch{return false}}var mostCharacters=256*1024;var mostDumped=64*1024;var mostColoured=32*1024;var asSheet=matchMedia("\
(width < 40rem), (height < 30rem), (width < 64rem) and (height < 44rem)");var Inspector=class{#box;#entry;#forms;#wanted=recall(
"as","json");constructor(box,{onClose,onCopy}){this.#box=box;this.#find("#close").onclick=onClose;this.#find(
"#copy-one").onclick=event=>onCopy(strip(this.#forms[this.#form]()),event.target);box.onkeydown=event=>{
if(event.key==="Escape")onClose()};box.oncancel=event=>{event.preventDefault();onClose()};box.onclick=
event=>{if(event.target===box)onClose()};for(const choice of this.#choices)choice.onchange=()=>this.#choose(
choice.value);asSheet.onchange=()=>{if(!box.open)return;box.close();this.#open()}}show(entry){if(!entry){
this.#box.close();return}if(entry!==this.#entry){this.#entry=entry;this.#forms=formsOf(entry);this.#draw()}
if(!asSheet.matches)this.#open()}open(focus){if(!this.#box.open)this.#open();if(focus||asSheet.matches)
this.#find("#whole").focus()}#open(){if(this.#box.open)return;if(asSheet.matches)this.#box.showModal();else
this.#box.setAttribute("open","");this.#find("#whole").scrollTop=0}#find(selector){return this.#box.
querySelector(selector)}get#choices(){return this.#box.querySelectorAll("[name=as]")}get#form(){return[
this.#wanted,"text","hex"].find(form=>form in this.#forms)}#choose(form){this.#wanted=form;remember(
"as",form);this.#draw()}#draw(){const{number,kind,size,time}=this.#entry;for(const choice of this.#choices){
choice.disabled=!(choice.value in this.#forms);choice.checked=choice.value===this.#form}const title=[
`#${count(number)}`,kind,clock(time),kind==="note"?"":bytes(size)];this.#find("#title").textContent=
title.filter(Boolean).join(" · ");const written=this.#forms[this.#form](mostDumped);const left=written.
length-mostCharacters;const shown=left<=0?written:`${written.slice(0,mostCharacters)}
… and ${count(left)} more characters`;this.#find("#whole").replaceChildren(...this.#nodes(shown));
this.#find("#whole").scrollTop=0}#nodes(shown){if(shown.length>mostColoured)return[picturesInLines(strip(
shown))];return this.#form==="json"?coloured(shown):styled(shown,picturesInLines)}};function formsOf({
kind,data}){const text2=textOf(data),json=text2&&pretty(text2);const perLine=matchMedia("(width < 40\
rem)").matches?8:16;return{...text2!==void 0&&{text:()=>text2},...json!==void 0&&{json:()=>json},...kind!==
"note"&&{hex:limit=>dump(bytesOf(data,limit),perLine)}}}function coloured(json){return json.split(/("(?:[^"\\]|\\.)*"(?:: )?)/).
map(part=>{if(!part.startsWith('"'))return part;const mark=document.createElement("span");mark.className=
part.endsWith(": ")?"name":"string";mark.textContent=part;return mark})}function clock(time){const date=new Date(
performance.timeOrigin+time);return`${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).
padStart(3,"0")}`}var signs={received:"↓",sent:"↑",stderr:"!",note:"·"};var names={received:"received",sent:"sent",
stderr:"standard error",note:"note"};var spare=4;var List=class{asHex=false;selected;#box;#log;#onSelect;#onOpen;#onDraw;#space=element(
"div","space");#window=element("div","window");#rows=[];#rowHeight;#height;#following=true;#gone=0;constructor(box,log2,{
onSelect,onOpen,onDraw}){this.#box=box;this.#log=log2;this.#onSelect=onSelect;this.#onOpen=onOpen;this.#onDraw=
onDraw;this.changed=eachFrame(()=>this.#draw());this.#space.append(this.#window);box.append(this.#space);
new ResizeObserver(()=>this.#measure()).observe(box);box.addEventListener("scroll",()=>this.#scrolled(),
{passive:true});box.addEventListener("click",event=>this.#clicked(event));box.addEventListener("keyd\
own",event=>this.#key(event));this.#measure()}follow(){this.#following=true;this.changed()}redraw(){
for(const row of this.#rows)row.entry=void 0;this.changed()}select(entry){this.selected=entry;this.#onSelect(
entry);if(entry)this.#following=false;else this.#scrolled();this.changed()}#measure(){const sample=this.#rows[0]??
this.#addRow();sample.box.hidden=false;this.#rowHeight=sample.box.offsetHeight||24;this.#height=this.#box.
clientHeight;if(this.selected)this.#reveal(this.#indexOf(this.selected));this.changed()}#draw(){const view=this.#log.
view,rowHeight=this.#rowHeight;const whole=view.length*rowHeight,end2=Math.max(0,whole-this.#height);
let top=end2;if(!this.#following)top=Math.min(end2,this.#box.scrollTop-(this.#log.gone-this.#gone)*rowHeight);
top=Math.max(0,top);this.#gone=this.#log.gone;const first=Math.max(0,Math.floor(top/rowHeight)-spare);
const last=Math.min(view.length,Math.ceil((top+this.#height)/rowHeight)+spare);while(this.#rows.length<
last-first)this.#addRow();this.#rows.forEach((row,i)=>row.show(first+i<last?view.at(first+i):void 0,
first+i,view.length,this));this.#window.style.transform=`translateY(${first*rowHeight}px)`;this.#space.
style.height=`${whole}px`;if(this.#following||top!==this.#box.scrollTop)this.#box.scrollTop=top;this.#markActive();
this.#onDraw(top<end2-rowHeight/2)}#addRow(){const row=new Row(`row-${this.#rows.length}`);this.#rows.
push(row);this.#window.append(row.box);return row}#markActive(){const row=this.selected&&this.#rows.
find(row2=>row2.entry===this.selected);if(row)this.#box.setAttribute("aria-activedescendant",row.box.
id);else this.#box.removeAttribute("aria-activedescendant")}#scrolled(){const{scrollTop,clientHeight,
scrollHeight}=this.#box;this.#following=scrollTop+clientHeight>=scrollHeight-this.#rowHeight/2;this.
changed()}#clicked(event){const row=this.#rows.find(row2=>row2.box.contains(event.target));if(!row?.
entry||!getSelection().isCollapsed)return;this.select(row.entry);this.#onOpen(false)}#key(event){if(event.
key==="Enter"&&this.selected)this.#onOpen(true);if(event.key==="Escape"&&this.selected)this.select(void 0);
const view=this.#log.view,page=Math.max(1,Math.floor(this.#height/this.#rowHeight)-1);const steps={ArrowUp:-1,
ArrowDown:1,PageUp:-page,PageDown:page,Home:-Infinity,End:Infinity};if(event.altKey||event.ctrlKey||
event.metaKey||!(event.key in steps)||view.length===0)return;event.preventDefault();const at=this.#indexOf(
this.selected);const to=at<0&&event.key!=="Home"?view.length-1:at+steps[event.key];const index=Math.
min(view.length-1,Math.max(0,to));this.select(view.at(index));this.#reveal(index)}#indexOf(entry){if(!entry)
return-1;const view=this.#log.view;let from=0,to=view.length;while(from<to){const middle=from+to>>1;
if(view.at(middle).number<entry.number)from=middle+1;else to=middle}return view.at(from)===entry?from:
-1}#reveal(index){if(index<0)return;const top=index*this.#rowHeight,bottom=top+this.#rowHeight,box=this.#box;
if(top<box.scrollTop)box.scrollTop=top;else if(bottom>box.scrollTop+this.#height)box.scrollTop=bottom-
this.#height}};var Row=class{entry;box=element("div","row");#since=text(this.box,"since");#size=text(
this.box,"size");#sign=text(this.box,"sign");#kind=text(this.box,"unseen");#data=text(this.box,"data");#cell=this.#data.
parentNode;constructor(id){this.box.id=id;this.box.setAttribute("role","option")}show(entry,index,of,{
asHex,selected}){this.box.hidden=!entry;if(!entry)return;this.box.ariaPosInSet=index+1;this.box.ariaSetSize=
of;this.box.ariaSelected=entry===selected;if(entry===this.entry)return;this.entry=entry;this.box.className=
`row ${entry.kind}`;this.#since.data=entry.since>=0?`+${duration(entry.since)}`:"";this.#sign.data=signs[entry.
kind];this.#kind.data=names[entry.kind];this.#size.data=entry.kind==="note"?"":bytes(entry.size);this.#write(
beginning(entry.data,asHex&&entry.kind!=="note"))}#write(shown){if(hasEscapes(shown)){this.#cell.replaceChildren(
...styled(shown,pictures,previewed));return}if(this.#cell.firstChild!==this.#data||this.#cell.childNodes.
length>1)this.#cell.replaceChildren(this.#data);this.#data.data=pictures(shown)}};function element(name,className){
const e=document.createElement(name);e.className=className;return e}function text(box,className){const span2=element(
"span",className),node=new Text;span2.append(node);box.append(span2);return node}var Queue=class{#items=[];#front=0;get length(){return this.#items.length-this.#front}at(i){return this.#items[this.#front+
i]}push(item){this.#items.push(item)}shift(){const item=this.#items[this.#front];this.#items[this.#front++]=
void 0;if(this.#front>1e3&&this.#front>this.length){this.#items=this.#items.slice(this.#front);this.#front=
0}return item}*[Symbol.iterator](){for(let i=0;i<this.length;i++)yield this.at(i)}};var mostEntries=5e4;var mostBytes=64*2**20;var Log=class{#kept=new Queue;#bytes=0;#added=0;#last;#passes;#frozen;#view=this.#kept;#waiting=0;#gone=0;get view(){
return this.#view}get waiting(){return this.#waiting}get gone(){return this.#gone}get paused(){return this.#frozen!==
void 0}add(kind,data,size,time){const entry={number:++this.#added,time,since:time-this.#last,kind,size,
data};this.#last=time;this.#kept.push(entry);this.#bytes+=size;if(this.paused)this.#waiting++;else if(this.#view!==
this.#kept&&this.#passes(entry))this.#view.push(entry);while(this.#kept.length>mostEntries||this.#bytes>
mostBytes&&this.#kept.length>1)this.#drop()}#drop(){const oldest=this.#kept.shift();this.#bytes-=oldest.
size;if(this.paused||this.#view!==this.#kept&&this.#view.at(0)!==oldest)return;if(this.#view!==this.#kept)
this.#view.shift();this.#gone++}filter(passes){this.#passes=passes;this.#look()}pause(){this.#frozen=
those(this.#kept);this.#look()}resume(){this.#frozen=void 0;this.#waiting=0;this.#look()}clear(){this.#kept=
new Queue;this.#bytes=0;this.#waiting=0;if(this.paused)this.#frozen=new Queue;this.#look()}#look(){const all=this.#frozen??
this.#kept;this.#view=this.#passes?those(all,this.#passes):all}};function those(entries,passes=()=>true){
const found=new Queue;for(const entry of entries)if(passes(entry))found.push(entry);return found}var seconds=60;var Meter=class{#find;#received={messages:0,bytes:0,perSecond:Array(seconds).fill(0)};#sent={
messages:0,bytes:0,perSecond:Array(seconds).fill(0)};#second=Math.floor(performance.now()/1e3);#askedAt;#answer;constructor(find){
this.#find=find;setInterval(()=>this.#write(),250);this.#draw()}begin(){Object.assign(this.#received,
{messages:0,bytes:0});Object.assign(this.#sent,{messages:0,bytes:0});this.#askedAt=this.#answer=void 0}sent(size,now){
this.#add(this.#sent,size,now);this.#askedAt??=now}received(size,now){this.#add(this.#received,size,
now);if(this.#askedAt===void 0)return false;this.#answer=now-this.#askedAt;this.#askedAt=void 0;return true}#add(direction,size,now){
this.#moveTo(now);direction.messages++;direction.bytes+=size;direction.perSecond[seconds-1]++}#moveTo(now){
const second=Math.floor(now/1e3),passed=Math.min(seconds,second-this.#second);if(passed<=0)return;this.#second=
second;for(const{perSecond}of[this.#received,this.#sent]){perSecond.splice(0,passed);perSecond.push(
...Array(passed).fill(0))}this.#draw()}#write(){this.#moveTo(performance.now());const{messages,bytes:size,
perSecond}=this.#received;this.#put("#received",`${count(messages)} · ${bytes(size)}`);this.#put("#\
sent",`${count(this.#sent.messages)} · ${bytes(this.#sent.bytes)}`);this.#put("#answer",this.#answer===
void 0?"–":duration(this.#answer));this.#put("#rate",count(perSecond[seconds-2]))}#put(selector,text2){
const node=this.#find(selector);if(node.textContent!==text2)node.textContent=text2}#draw(){const chart=this.#find(
"#chart"),{height}=chart.viewBox.baseVal;const shown=({perSecond})=>perSecond.slice(0,-1);const most=Math.
max(1,...shown(this.#received),...shown(this.#sent));const points=direction=>shown(direction).map((n,x)=>`${x}\
 ${(height+1-(height-1)*n/most).toFixed(2)}`);chart.querySelector(".received").setAttribute("d",`M0 ${height+
2}L${points(this.#received).join("L")}V${height+2}Z`);chart.querySelector(".sent").setAttribute("d",
`M0 ${height+2}L${points(this.#sent).join("L")}`);const now=this.#received.perSecond[seconds-2];chart.
ariaLabel=`Messages a second over the last minute: now ${count(now)}, at most ${count(most)}`}};function streamOf(message){try{const{stream,data}=JSON.parse(message);if(typeof data==="string")return{
kind:stream==="stderr"?"stderr":"received",data}}catch{}return{kind:"received",data:message}}var{framing,terminal,stderr,resume}=document.documentElement.dataset;var $=selector=>document.querySelector(
selector);var log=new Log;var meter=new Meter($);var address=new Address($("#address"));var connection=new Connection(
{onState,onMessage,onEnd});var inspector=new Inspector($("#inspector"),{onClose:closeInspector,onCopy:copyAnd});
var list=new List($("#list"),log,{onSelect:entry=>inspector.show(entry),onOpen:byKey=>inspector.open(
byKey),onDraw:writeAround});var composer=new Composer($,framing==="bytes"||framing==="channels",{send,
note,ready,isOpen:()=>connection.takes,unsent:()=>connection.unsent});var end="Not connected";var waiting=[];
var countdown;var before;function connect(){try{connection.connect(address.read())}catch(problem){end=
`Not connected: ${problem.message}`;connection.disconnect();onState("closed")}}async function ready(){
if(connection.takes)return true;const opened=new Promise(resolve=>waiting.push(resolve));if(connection.
state==="closed"||connection.state==="waiting")connect();return opened}function onState(state){if(state===
"connecting")meter.begin();if(state==="open")note(before==="away"?`away ${awayFor()}`:`connected to ${address.
value}`);before=state;if(state!=="connecting")waiting.splice(0).forEach(resolve=>resolve(state==="op\
en"));address.remember(state!=="closed");clearInterval(countdown);if(state==="waiting"||state==="awa\
y")countdown=setInterval(writeCountdown,250);writeCountdown();$("#state").dataset.state=state;$("#to\
ggle").textContent={connecting:"Cancel",open:"Disconnect",away:"Disconnect",closing:"Disconnect",waiting:"\
Connect now"}[state]??"Connect";$("#toggle").className=state==="closed"||state==="waiting"?"primary":
"";$("#address").readOnly=state!=="closed"&&state!=="waiting";$("#sentence").textContent={connecting:"\
Connecting",open:"Connected",away:"Away",closing:"Closing"}[state]??end;document.title=`${{open:"●",
connecting:"◌",away:"◌",closing:"◌"}[state]??"○"} ${address.path} · wsbridge`}function onEnd(how){
end=ending(how);$("#state").dataset.end=how.ours||how.code===1e3?"good":"bad";note(end)}function writeCountdown(){
const left=Math.ceil((connection.retryAt-performance.now())/1e3);$("#next").textContent={waiting:`ne\
xt attempt in ${Math.max(1,left)} s`,away:awayFor()}[connection.state]??""}var awayFor=()=>`for ${Math.
round((Date.now()-connection.awaySince)/1e3)} s, nothing lost`;function onMessage(message){const now=performance.
now();let data=message,kind="received";if(typeof message!=="string")data=new Uint8Array(message);else if(stderr===
"on")({kind,data}=streamOf(message));const size=sizeOf2(data);log.add(kind,data,size,now);if(meter.received(
size,now))say(`received: ${preview(data)}`);list.changed()}function send(data){connection.send(data);
const now=performance.now(),size=sizeOf2(data);meter.sent(size,now);log.add("sent",data,size,now);list.
follow()}function note(text2){log.add("note",text2,sizeOf2(text2),performance.now());list.changed()}
var spoken;var speaking;function say(text2){spoken=text2;speaking??=setTimeout(()=>{$("#spoken").textContent=
spoken;speaking=void 0},1e3)}var filter=eachFrame(()=>{const wanted=$("#filter").value.replace(/[\\^$.*+?()[\]{}|]/g,
"\\$&"),kind=$("#kinds").value;const words=new RegExp(wanted,"iu");const passes=entry=>(!kind||entry.
kind===kind)&&(!wanted||words.test(shownOf(entry.data)));log.filter(wanted||kind?passes:void 0);list.
changed()});function writeAround(behind){$("#latest").hidden=!behind;$("#empty").hidden=log.view.length>
0;$("#empty").dataset.because=$("#filter").value||$("#kinds").value?"filtered":"";const label=!log.paused?
"Pause":log.waiting?`Resume (${count(log.waiting)})`:"Resume";if($("#pause").textContent!==label)$("\
#pause").textContent=label;$("#pause").className=log.paused?"on":""}function clear(){log.clear();list.
select(void 0);list.follow()}function closeInspector(){list.select(void 0);$("#list").focus({preventScroll:true})}
async function copyAnd(text2,button){const label=button.textContent;button.textContent=await copy(text2)?
"Copied":"Not allowed";button.disabled=true;setTimeout(()=>{button.textContent=label;button.disabled=
false},1200)}function save(){const now=new Date().toISOString().slice(0,19).replace(/[-:]/g,"").replace(
"T","-");download(`wsbridge-${now}.jsonl`,"application/jsonl",jsonLines(log.view))}$("#connect").onsubmit=
event=>{event.preventDefault();if(connection.state==="closed"||connection.state==="waiting")ready().
then(open=>open&&composer.invite());else connection.disconnect()};$("#reconnect").onchange=event=>{remember(
"reconnect",connection.retry=event.target.checked);if(!connection.retry&&connection.state==="waiting")
connection.disconnect()};$("#resume").onchange=event=>remember("resume",connection.resume=event.target.
checked);$("#theme").onchange=event=>remember("theme",document.documentElement.dataset.theme=event.target.
value);$("#filter").oninput=$("#kinds").onchange=filter;$("#hex").onclick=event=>{list.asHex=!list.asHex;
event.target.ariaPressed=list.asHex;list.redraw()};$("#pause").onclick=()=>{if(log.paused)log.resume();else
log.pause();list.changed()};$("#clear").onclick=clear;$("#copy").onclick=event=>copyAnd(plain(log.view),
event.target);$("#download").onclick=save;$("#latest").onclick=()=>list.follow();$("#theme").value=document.
documentElement.dataset.theme=recall("theme","");$("#reconnect").checked=connection.retry=recall("re\
connect",false);$("#framing").hidden=framing==="lines";$("#framing dd").textContent=framing;$("#term\
inal").hidden=terminal!=="on";$("#resuming").hidden=resume!=="on";$("#resume").checked=connection.resume=
resume==="on"&&recall("resume",true);$("#kinds option[value=stderr]").hidden=stderr!=="on";onState("\
closed");if(address.resumes&&connection.retry)connect();
