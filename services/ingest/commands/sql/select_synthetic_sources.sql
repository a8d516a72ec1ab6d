-- Sources of made-up books; they hold the settings those were made from.
SELECT uri FROM core.source WHERE uri LIKE 'urn:loanpulse:synthetic:%' ORDER BY uri
