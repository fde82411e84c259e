-- Requests of wrk: each has a message id of its own and one of the endings that a file lists, "QUERY<tab>USER AGENT".
-- They are put together here and not by wrk.format, which costs more than the servers do.
local head, count, endings = "", 0, {}

function init(args)
   local host = args[0]:match("^http://([^/]+)")
   head = "GET /p.gif?k=" .. args[1] .. "&mid=" .. args[2]
   for line in io.lines(args[3]) do
      local query, agent = line:match("^([^\t]*)\t(.*)$")
      endings[#endings + 1] = query .. " HTTP/1.1\r\nHost: " .. host .. "\r\nUser-Agent: " .. agent ..
         "\r\nAccept: image/*,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
   end
end

function request()
   count = count + 1
   return head .. count .. endings[count % #endings + 1]
end

-- Times in microseconds.
function done(summary, latency)
   local e = summary.errors
   io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration,
      latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
