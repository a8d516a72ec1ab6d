SELECT sum(provision) AS "Provision" FROM stage_now WHERE @selection
