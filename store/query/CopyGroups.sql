-- CopyGroups: people and accounts as they were published, to build their journeys anew.
INSERT INTO touchline_work.groups
SELECT * FROM touchline.subjects_raw FINAL WHERE project = {project:String}
