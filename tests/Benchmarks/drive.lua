-- wrk runs this. Arguments: a file of whole HTTP requests, divided by \1, that are sent in turn; and, where some refusals
-- are expected, the status to count, since reading every status costs wrk time that other rows should not pay.

local requests, turn = {}, 0
local threads = {}
refused = 0

function setup(thread)
    threads[#threads + 1] = thread
end

function init(arguments)
    for request in io.open(arguments[1]):read("*a"):gmatch("[^\1]+") do
        requests[#requests + 1] = request
    end

    local expected = tonumber(arguments[2])
    if expected then
        response = function(status)
            if status == expected then
                refused = refused + 1
            end
        end
    end
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

-- One line for the driver. wrk counts in microseconds, and every status above 399 as an error.
function done(summary, latency)
    local errors, expected = summary.errors, 0
    for _, thread in ipairs(threads) do
        expected = expected + thread:get("refused")
    end

    print(string.format("RESULT %d %d %d %d %d %d",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), expected,
        errors.status - expected + errors.connect + errors.read + errors.write + errors.timeout))
end
